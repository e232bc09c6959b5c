import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "@/api/client";
import type { KbOut } from "@/api/schema";
import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { TextField } from "@/design/Field";
import { ProblemNotice } from "@/design/Notice";
import { say } from "@/design/Toasts";
import { kbsQuery } from "@/shell/kbs";
import { forgetKb } from "@/shell/places";
import { useFormats, useTexts } from "@/texts";

/** Deletes a knowledge base with all that it holds; its name must be written first. */
export function DeleteKbDialog({ kb, onClose }: { kb: KbOut; onClose: () => void }) {
  const t = useTexts();
  const formats = useFormats();
  const client = useQueryClient();
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  async function remove() {
    setBusy(true);
    try {
      await call("delete_kb", { path: { kb: kb.name } });
      forgetKb(kb.name);
      client.removeQueries({ predicate: ({ queryKey }) => queryKey.includes(kb.name) });
      await client.invalidateQueries({ queryKey: kbsQuery.queryKey });
      say(t.admin.kbDeleted(kb.name));
      onClose();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  }
  return (
    <Dialog title={t.admin.deleteKbTitle(kb.name)} onClose={onClose}>
      <p>{t.admin.deleteKbLead(kb.documents, formats.number(kb.documents))}</p>
      <TextField
        label={t.admin.typeName(kb.name)}
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      {error === null ? null : <ProblemNotice error={error} />}
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          {t.shell.cancel}
        </Button>
        <Button look="danger" disabled={busy || typed !== kb.name} onClick={() => void remove()}>
          {t.documents.deleteNow}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
