import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { DocumentOut } from "@/api/schema";
import { listOf } from "@/ask/filters";
import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { Skeleton } from "@/design/Empty";
import { TextField } from "@/design/Field";
import { ProblemNotice } from "@/design/Notice";
import { say } from "@/design/Toasts";
import { documentQuery } from "@/page/queries";
import { useTexts } from "@/texts";

import { changeDocument } from "./actions";
import { MetadataFields, metadataOf, rowsOf } from "./MetadataFields";

interface EditDialogProps {
  kb: string;
  id: string;
  onClose: () => void;
}

/** Labels and metadata of a document that is there already. */
export function EditDialog({ kb, id, onClose }: EditDialogProps) {
  const t = useTexts();
  const { data, error } = useQuery(documentQuery(kb, id));
  return (
    <Dialog title={t.documents.edit} onClose={onClose}>
      {error === null ? null : <ProblemNotice error={error} />}
      {data === undefined && error === null ? <Skeleton label={t.shell.loading} /> : null}
      {data === undefined ? null : <EditForm kb={kb} document={data} onClose={onClose} />}
    </Dialog>
  );
}

function EditForm({ kb, document, onClose }: { kb: string; document: DocumentOut; onClose: () => void }) {
  const t = useTexts();
  const client = useQueryClient();
  const [labels, setLabels] = useState(document.labels.join(", "));
  const [rows, setRows] = useState(() => rowsOf(document.metadata));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function save() {
    setBusy(true);
    try {
      await changeDocument(kb, document.id, { labels: listOf(labels), metadata: metadataOf(rows) });
      await client.invalidateQueries({ queryKey: ["document", kb, document.id] });
      say(t.documents.saved);
      onClose();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  }
  return (
    <>
      <p>
        <bdi>{document.name}</bdi>
      </p>
      <TextField
        label={t.ask.labels}
        hint={t.documents.labelsHint}
        value={labels}
        dir="auto"
        onChange={(event) => setLabels(event.target.value)}
      />
      <MetadataFields rows={rows} onChange={setRows} />
      {error === null ? null : <ProblemNotice error={error} />}
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          {t.shell.cancel}
        </Button>
        <Button look="primary" disabled={busy} onClick={() => void save()}>
          {t.documents.save}
        </Button>
      </DialogActions>
    </>
  );
}
