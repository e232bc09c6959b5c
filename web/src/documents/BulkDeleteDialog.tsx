import { call } from "@/api/client";
import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { useFormats, useTexts } from "@/texts";

import styles from "./DeleteDialog.module.css";
import type { Listed } from "./documentList";
import type { Run } from "./useBulk";

interface BulkDeleteDialogProps {
  kb: string;
  chosen: readonly Listed[];
  run: Run;
  onClose: () => void;
  onDone: () => void;
  onDeleted: (id: string) => void;
}

/** Asks once more before many documents go, and says how much that is. */
export function BulkDeleteDialog({ kb, chosen, run, onClose, onDone, onDeleted }: BulkDeleteDialogProps) {
  const t = useTexts();
  const formats = useFormats();
  const sum = (part: "pages" | "passages" | "bytes") => chosen.reduce((total, each) => total + each[part], 0);
  const rows: [string, string][] = [
    [t.documents.title, formats.number(chosen.length)],
    [t.documents.facts.pages, formats.number(sum("pages"))],
    [t.documents.facts.passages, formats.number(sum("passages"))],
    [t.documents.facts.size, formats.bytes(sum("bytes"))],
  ];

  async function remove() {
    onClose();
    await run(chosen, async ({ id }) => {
      await call("delete_document", { path: { kb, document: id } });
      onDeleted(id);
    });
    onDone();
  }
  return (
    <Dialog title={t.documents.deleteMany} onClose={onClose}>
      <p>{t.documents.deleteManyLead}</p>
      <dl className={styles.receipt} data-receipt="">
        {rows.map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          {t.shell.cancel}
        </Button>
        <Button look="danger" onClick={() => void remove()}>
          {t.documents.deleteNow}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
