import { Copy } from "lucide-react";

import { Button } from "@/design/Button";
import { DialogActions } from "@/design/Dialog";
import { TextField } from "@/design/Field";
import { Notice } from "@/design/Notice";
import { say } from "@/design/Toasts";
import { copyText } from "@/shell/copyText";
import { useTexts } from "@/texts";

import styles from "./AdminPage.module.css";

/** A key's secret, which the gateway tells this once. */
export function Secret({ secret, onClose }: { secret: string; onClose: () => void }) {
  const t = useTexts();
  return (
    <>
      <Notice tone="warn">{t.admin.secretLead}</Notice>
      <TextField
        label={t.admin.secret}
        className={styles.secret}
        readOnly
        value={secret}
        onFocus={(event) => event.target.select()}
      />
      <DialogActions>
        <Button icon={Copy} onClick={() => void copyText(secret).then(() => say(t.admin.copied))}>
          {t.admin.copy}
        </Button>
        <Button look="primary" onClick={onClose}>
          {t.admin.done}
        </Button>
      </DialogActions>
    </>
  );
}
