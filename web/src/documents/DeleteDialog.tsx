import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "@/api/client";
import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { Skeleton } from "@/design/Empty";
import { ProblemNotice } from "@/design/Notice";
import { say } from "@/design/Toasts";
import { useFormats, useTexts } from "@/texts";

import styles from "./DeleteDialog.module.css";

interface DeleteDialogProps {
  kb: string;
  document: { id: string; name: string };
  onClose: () => void;
  onDeleted: () => void;
}

/** What a deletion would take away, counted by the gateway, before it is done. */
export function DeleteDialog({ kb, document, onClose, onDeleted }: DeleteDialogProps) {
  const t = useTexts();
  const formats = useFormats();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const path = { kb, document: document.id };
  const receipt = useQuery({
    queryKey: ["receipt", kb, document.id],
    queryFn: ({ signal }) => call("delete_document", { path, query: { dry_run: true }, signal }),
    gcTime: 0,
  });
  async function remove() {
    setBusy(true);
    try {
      await call("delete_document", { path });
      say(t.documents.deleted(document.name));
      onClose();
      onDeleted();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  }
  const counts = Object.entries(receipt.data?.removed ?? {}).filter(([, count]) => count > 0);
  return (
    <Dialog title={t.documents.deleteTitle} onClose={onClose}>
      <p>{t.documents.deleteLead(document.name)}</p>
      {receipt.error !== null ? <ProblemNotice error={receipt.error} /> : null}
      {receipt.data === undefined && receipt.error === null ? (
        <Skeleton lines={3} label={t.shell.loading} />
      ) : null}
      {receipt.data === undefined ? null : (
        <dl className={styles.receipt} data-receipt="">
          {counts.map(([name, count]) => (
            <div key={name}>
              <dt>{t.documents.removed[name] ?? name}</dt>
              <dd>{name === "bytes" ? formats.bytes(count) : formats.number(count)}</dd>
            </div>
          ))}
          {receipt.data.kept.entities > 0 ? (
            <div>
              <dt>{t.documents.keptEntities}</dt>
              <dd>{formats.number(receipt.data.kept.entities)}</dd>
            </div>
          ) : null}
        </dl>
      )}
      {error === null ? null : <ProblemNotice error={error} />}
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          {t.shell.cancel}
        </Button>
        <Button look="danger" disabled={busy || receipt.data === undefined} onClick={() => void remove()}>
          {t.documents.deleteNow}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
