import { FilePlus, FolderPlus } from "lucide-react";
import { useRef, useState } from "react";

import { listOf } from "@/ask/filters";
import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { CheckBox, TextField } from "@/design/Field";
import { useFormats, useTexts } from "@/texts";

import { fromDrop, fromField } from "./dropped";
import { ACCEPTED, isAccepted } from "./accepted";
import { MetadataFields, metadataOf, type MetadataRow } from "./MetadataFields";
import styles from "./UploadDialog.module.css";
import { type Chosen, uploads } from "./uploads";

interface UploadDialogProps {
  kb: string;
  /** Files that were dropped on the page. */
  first: Chosen[];
  onClose: () => void;
}

/** Files and folders to be added, and what is to go with all of them. */
export function UploadDialog({ kb, first, onClose }: UploadDialogProps) {
  const t = useTexts();
  const formats = useFormats();
  const [chosen, setChosen] = useState(first);
  const [labels, setLabels] = useState("");
  const [rows, setRows] = useState<MetadataRow[]>([]);
  const [replace, setReplace] = useState(false);
  const [password, setPassword] = useState("");
  const others = chosen.filter(({ file }) => !isAccepted(file.name)).length;
  const bytes = chosen.reduce((sum, { file }) => sum + file.size, 0);
  const take = (more: Chosen[]) => setChosen((now) => [...now, ...more]);

  function send() {
    uploads.add(kb, chosen, { labels: listOf(labels), metadata: metadataOf(rows), replace, password });
    onClose();
  }

  return (
    <Dialog title={t.documents.addTo(kb)} onClose={onClose}>
      <FileChoice onChosen={take} />
      <p role="status" className={styles.count}>
        {chosen.length === 0
          ? t.documents.nothingChosen
          : t.documents.chosen(chosen.length, formats.number(chosen.length), formats.bytes(bytes))}
        {others > 0 ? ` ${t.documents.unlike(others, formats.number(others))}` : ""}
      </p>
      <TextField
        label={t.ask.labels}
        hint={t.documents.labelsHint}
        value={labels}
        dir="auto"
        onChange={(event) => setLabels(event.target.value)}
      />
      <details className={styles.more}>
        <summary>{t.documents.more}</summary>
        <MetadataFields rows={rows} onChange={setRows} />
        <CheckBox
          label={t.documents.replace}
          checked={replace}
          onChange={(event) => setReplace(event.target.checked)}
        />
        <TextField
          label={t.documents.password}
          hint={t.documents.passwordHint}
          type="password"
          autoComplete="off"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </details>
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          {t.shell.cancel}
        </Button>
        <Button look="primary" disabled={chosen.length === 0} onClick={send}>
          {t.documents.addFiles(chosen.length, formats.number(chosen.length))}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function FileChoice({ onChosen }: { onChosen: (files: Chosen[]) => void }) {
  const t = useTexts();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  return (
    // Dropping is one of three ways; the buttons inside are the others.
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      className={styles.zone}
      data-over={isOver || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        void fromDrop(event.dataTransfer).then(onChosen);
      }}
    >
      <p>{t.documents.dropHere}</p>
      <p className={styles.formats}>{t.documents.formats}</p>
      <div className={styles.buttons}>
        <Button small icon={FilePlus} onClick={() => files.current?.click()}>
          {t.documents.chooseFiles}
        </Button>
        <Button small icon={FolderPlus} onClick={() => folder.current?.click()}>
          {t.documents.chooseFolder}
        </Button>
      </div>
      <input
        ref={files}
        type="file"
        multiple
        accept={ACCEPTED}
        hidden
        aria-label={t.documents.chooseFiles}
        onChange={(event) => {
          onChosen(fromField(event.target.files));
          event.target.value = "";
        }}
      />
      <input
        ref={folder}
        type="file"
        hidden
        webkitdirectory=""
        aria-label={t.documents.chooseFolder}
        onChange={(event) => {
          onChosen(fromField(event.target.files));
          event.target.value = "";
        }}
      />
    </div>
  );
}
