import { KeyRound } from "lucide-react";
import { type FormEvent, useState } from "react";

import { Problem } from "@/api/problem";
import { BrandMark } from "@/design/Brand";
import { Button } from "@/design/Button";
import { TextField } from "@/design/Field";
import { Notice, ProblemNotice } from "@/design/Notice";
import { useTexts } from "@/texts";

import { useSigning } from "./session";
import styles from "./SignIn.module.css";

/** Takes a key and forgets it: what stays is a cookie that scripts cannot read. */
export function SignIn({ ended, refused = null }: { ended: boolean; refused?: Problem | null }) {
  const t = useTexts();
  const signing = useSigning();
  const [key, setKey] = useState("");
  const [error, setError] = useState<unknown>(refused);
  const [busy, setBusy] = useState(false);
  const isWrong = error instanceof Problem && error.status === 401;

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await signing.byKey(key.trim());
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  }

  return (
    <main className={styles.place}>
      <form className={styles.card} onSubmit={(event) => void submit(event)}>
        <BrandMark size={44} />
        <div>
          <h1>{t.session.title}</h1>
          <p className={styles.lead}>{t.session.lead}</p>
        </div>
        {ended && error === null ? <Notice tone="warn">{t.session.ended}</Notice> : null}
        {error !== null && !isWrong ? <ProblemNotice error={error} /> : null}
        <TextField
          label={t.session.key}
          name="key"
          type="password"
          autoComplete="current-password"
          spellCheck={false}
          required
          // The one thing to do here.
          // oxlint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          maxLength={256}
          value={key}
          onChange={(event) => setKey(event.target.value)}
          error={isWrong ? t.session.wrong : null}
          hint={t.session.keyHint}
        />
        <Button type="submit" look="primary" icon={KeyRound} disabled={busy || key.trim() === ""}>
          {t.session.signIn}
        </Button>
        <p className={styles.help}>
          {t.session.help} <code>atoll open</code>
        </p>
      </form>
    </main>
  );
}
