import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "@/api/client";
import type { DocumentOut, DocumentPatch } from "@/api/schema";
import { listOf } from "@/ask/filters";
import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { Skeleton } from "@/design/Empty";
import { TextField } from "@/design/Field";
import { ProblemNotice } from "@/design/Notice";
import { say } from "@/design/Toasts";
import { documentQuery } from "@/page/queries";
import { useTexts } from "@/texts";

import { MetadataFields, metadataOf, rowsOf } from "./MetadataFields";

interface EditDialogProps {
  kb: string;
  id: string;
  onClose: () => void;
}

/** Name, folder, labels and metadata of a document that is there already. */
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
  const [name, setName] = useState(document.name);
  const [source, setSource] = useState(document.source ?? "");
  const [labels, setLabels] = useState(document.labels.join(", "));
  const [rows, setRows] = useState(() => rowsOf(document.metadata));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function save() {
    setBusy(true);
    try {
      const body = changed(document, {
        name: name.trim(),
        source: source.trim(),
        labels: listOf(labels),
        metadata: metadataOf(rows),
      });
      await call("amend_document", { path: { kb, document: document.id }, body });
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
      <TextField
        label={t.documents.columns.name}
        value={name}
        maxLength={512}
        required
        dir="auto"
        onChange={(event) => setName(event.target.value)}
      />
      <TextField
        label={t.documents.facts.source}
        hint={t.documents.sourceHint}
        value={source}
        maxLength={1024}
        dir="auto"
        onChange={(event) => setSource(event.target.value)}
      />
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
        <Button look="primary" disabled={busy || name.trim() === ""} onClick={() => void save()}>
          {t.documents.save}
        </Button>
      </DialogActions>
    </>
  );
}

/** What of a form differs from the document: what somebody else changed meanwhile stays. */
export function changed(
  document: Pick<DocumentOut, "name" | "source" | "labels" | "metadata">,
  form: { name: string; source: string; labels: string[]; metadata: Record<string, unknown> },
): DocumentPatch {
  const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  const patch: DocumentPatch = {};
  if (form.name !== document.name) patch.name = form.name;
  if (form.source !== (document.source ?? "")) patch.source = form.source === "" ? null : form.source;
  if (!same(form.labels.toSorted(), document.labels.toSorted())) patch.labels = form.labels;
  if (!same(form.metadata, document.metadata)) patch.metadata = form.metadata;
  return patch;
}
