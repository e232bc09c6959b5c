import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "@/api/client";
import type { KeyOut } from "@/api/schema";
import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { Notice, ProblemNotice } from "@/design/Notice";
import { say } from "@/design/Toasts";
import { useSession } from "@/session/session";
import { useTexts } from "@/texts";

/** Asks once more before a key stops to work. */
export function RevokeDialog({ shown, onClose }: { shown: KeyOut; onClose: () => void }) {
  const t = useTexts();
  const session = useSession();
  const client = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  async function revoke() {
    setBusy(true);
    try {
      await call("revoke_key", { path: { key: shown.id } });
      say(t.admin.revoked(shown.name));
      await client.invalidateQueries({ queryKey: ["keys"] });
      onClose();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  }
  return (
    <Dialog title={t.admin.revokeTitle(shown.name)} onClose={onClose}>
      <p>{t.admin.revokeLead}</p>
      {shown.id === session.key_id ? <Notice tone="warn">{t.admin.revokeOwn}</Notice> : null}
      {error === null ? null : <ProblemNotice error={error} />}
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          {t.shell.cancel}
        </Button>
        <Button look="danger" disabled={busy} onClick={() => void revoke()}>
          {t.admin.revoke}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
