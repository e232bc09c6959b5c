import { Pencil } from "lucide-react";
import { type FormEvent, useState } from "react";

import { Button, IconButton } from "@/design/Button";
import { TextField } from "@/design/Field";
import { useTexts } from "@/texts";

import styles from "./Understood.module.css";

/** What a question was searched as; it can be put right and asked again, on its own. */
export function Understood({ text, onAsk }: { text: string; onAsk: (question: string) => void }) {
  const t = useTexts();
  const [edited, setEdited] = useState<string | null>(null);
  if (edited === null) {
    return (
      <p className={styles.line}>
        <span>
          {t.ask.understood} <q dir="auto">{text}</q>
        </span>
        <IconButton icon={Pencil} size={15} label={t.ask.editUnderstood} onClick={() => setEdited(text)} />
      </p>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAsk(edited.trim());
    setEdited(null);
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <TextField
        label={t.ask.understoodLabel}
        value={edited}
        maxLength={8000}
        dir="auto"
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- it was asked for a moment ago
        autoFocus
        onChange={(event) => setEdited(event.target.value)}
      />
      <div className={styles.actions}>
        <Button type="submit" small look="primary" disabled={edited.trim() === ""}>
          {t.ask.askThis}
        </Button>
        <Button small look="quiet" onClick={() => setEdited(null)}>
          {t.shell.cancel}
        </Button>
      </div>
    </form>
  );
}
