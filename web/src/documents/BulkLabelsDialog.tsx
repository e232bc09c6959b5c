import { useState } from "react";

import { call } from "@/api/client";
import { listOf } from "@/ask/filters";
import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { TextField } from "@/design/Field";
import { useFormats, useTexts } from "@/texts";

import type { Listed } from "./documentList";
import type { Run } from "./useBulk";

interface BulkLabelsDialogProps {
  kb: string;
  chosen: readonly Listed[];
  run: Run;
  onClose: () => void;
  onDone: () => void;
}

/** Adds labels to many documents, and takes others off; what is not named stays as it is at each. */
export function BulkLabelsDialog({ kb, chosen, run, onClose, onDone }: BulkLabelsDialogProps) {
  const t = useTexts();
  const formats = useFormats();
  const [added, setAdded] = useState("");
  const [removed, setRemoved] = useState("");
  const changes = { add: listOf(added), remove: listOf(removed) };
  const known = [...new Set(chosen.flatMap(({ labels }) => labels))].toSorted();

  async function save() {
    onClose();
    const changed = chosen.filter((document) => !isSame(document.labels, relabelled(document, changes)));
    await run(changed, (document) =>
      call("amend_document", {
        path: { kb, document: document.id },
        body: { labels: relabelled(document, changes) },
      }),
    );
    onDone();
  }
  return (
    <Dialog title={t.documents.bulkLabels} onClose={onClose}>
      <p>{t.documents.chosenDocuments(chosen.length, formats.number(chosen.length))}</p>
      <TextField
        label={t.documents.addLabels}
        hint={t.documents.labelsHint}
        value={added}
        dir="auto"
        onChange={(event) => setAdded(event.target.value)}
      />
      <TextField
        label={t.documents.removeLabels}
        hint={known.length > 0 ? t.documents.labelsThere(known.join(", ")) : undefined}
        value={removed}
        dir="auto"
        onChange={(event) => setRemoved(event.target.value)}
      />
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          {t.shell.cancel}
        </Button>
        <Button
          look="primary"
          disabled={changes.add.length + changes.remove.length === 0}
          onClick={() => void save()}
        >
          {t.documents.save}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

/** The labels of a document after a change. */
export function relabelled(
  { labels }: Pick<Listed, "labels">,
  { add, remove }: { add: string[]; remove: string[] },
): string[] {
  return [...new Set([...labels, ...add])].filter((label) => !remove.includes(label));
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((label) => other.includes(label));
}
