import { useState } from "react";

import { call } from "@/api/client";
import type { VerificationOut } from "@/api/schema";
import { Button } from "@/design/Button";
import { Notice, ProblemNotice } from "@/design/Notice";
import { useFormats, useTexts } from "@/texts";

/** Verifies on demand that the trail is still what was written. */
export function AuditSeal() {
  const t = useTexts();
  const formats = useFormats();
  const [found, setFound] = useState<VerificationOut | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  async function verify() {
    setBusy(true);
    setError(null);
    try {
      setFound(await call("verify_events", {}));
    } catch (caught) {
      setError(caught);
    }
    setBusy(false);
  }
  return (
    <>
      <div>
        <Button small disabled={busy} onClick={() => void verify()}>
          {t.admin.verify}
        </Button>
      </div>
      {error === null ? null : <ProblemNotice error={error} />}
      {found === null ? null : (
        <Notice
          tone={found.is_intact ? "calm" : "bad"}
          title={found.is_intact ? t.admin.intact : t.admin.broken(found.broken_seal)}
        >
          <p>{t.admin.sealed(formats.number(found.sealed), formats.number(found.events))}</p>
          {found.seal === null ? null : (
            <p>
              {t.admin.newestSeal} <code>{found.seal}</code>
            </p>
          )}
        </Notice>
      )}
    </>
  );
}
