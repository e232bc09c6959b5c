import { Files, RotateCw, Search, Upload } from "lucide-react";
import { type DragEvent, useDeferredValue, useMemo, useState } from "react";

import { Button } from "@/design/Button";
import { Empty, Skeleton } from "@/design/Empty";
import { Notice, ProblemNotice } from "@/design/Notice";
import { may, useSession } from "@/session/session";
import { useFormats, useTexts } from "@/texts";

import { useVerbs } from "./actions";
import { choose, type Choice, type Column, countShown, EVERYTHING, foldersOf, type Shown } from "./choosing";
import { MOST_DOCUMENTS } from "./documentList";
import styles from "./DocumentsPage.module.css";
import { DocumentTable } from "./DocumentTable";
import { fromDrop } from "./dropped";
import { Folders } from "./Folders";
import { UploadDialog } from "./UploadDialog";
import type { Chosen } from "./uploads";
import { useDocuments } from "./useDocuments";

const GROUPS: readonly Shown[] = ["all", "ready", "waiting", "failed", "warned"];

/** All documents of a knowledge base, as they arrive and change. */
export function DocumentsPage({ kb }: { kb: string }) {
  const t = useTexts();
  const session = useSession();
  const { state, list } = useDocuments(kb);
  const [choice, setChoice] = useState<Choice>(EVERYTHING);
  const [adding, setAdding] = useState<Chosen[] | null>(null);
  const canWrite = may(session, "write");
  const change = (part: Partial<Choice>) => setChoice((now) => ({ ...now, ...part }));
  const deferred = useDeferredValue(choice);
  const shown = useMemo(() => choose(state.documents, deferred), [state.documents, deferred]);
  const folders = useMemo(() => foldersOf(state.documents), [state.documents]);
  const sort = (column: Column) =>
    change({ column, descending: choice.column === column ? !choice.descending : column !== "name" });

  function onDrop(event: DragEvent) {
    if (!canWrite) return;
    event.preventDefault();
    void fromDrop(event.dataTransfer).then(setAdding);
  }

  return (
    // Dropping files is a second way; the button is the first.
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions
    <div className={styles.page} onDragOver={(event) => event.preventDefault()} onDrop={onDrop}>
      <header className={styles.header}>
        <h1>{t.documents.title}</h1>
        <label className={styles.search}>
          <Search size={16} aria-hidden="true" />
          <input
            type="search"
            aria-label={t.documents.find}
            placeholder={t.documents.find}
            dir="auto"
            value={choice.text}
            onChange={(event) => change({ text: event.target.value })}
          />
        </label>
        {canWrite ? (
          <Button look="primary" icon={Upload} onClick={() => setAdding([])}>
            {t.documents.add}
          </Button>
        ) : null}
      </header>
      <Groups
        kb={kb}
        documents={state.documents}
        shown={choice.shown}
        onShow={(group) => change({ shown: group })}
      />
      {state.error === null ? null : <ProblemNotice error={state.error} onRetry={() => void list.read()} />}
      {state.documents.length >= MOST_DOCUMENTS && !state.complete ? (
        <Notice tone="warn">{t.documents.tooMany(MOST_DOCUMENTS)}</Notice>
      ) : null}
      <div className={styles.body}>
        {folders.length > 0 ? (
          <div className={styles.folders}>
            <Folders folders={folders} chosen={choice.folder} onChoose={(folder) => change({ folder })} />
          </div>
        ) : null}
        {shown.length > 0 ? (
          <DocumentTable
            kb={kb}
            documents={shown}
            choice={choice}
            onSort={sort}
            onDeleted={(id) => list.remove(id)}
          />
        ) : (
          <Nothing
            isLoading={!state.complete && state.error === null}
            isEmpty={state.documents.length === 0}
            canWrite={canWrite}
          />
        )}
      </div>
      {adding === null ? null : <UploadDialog kb={kb} first={adding} onClose={() => setAdding(null)} />}
    </div>
  );
}

interface GroupsProps {
  kb: string;
  documents: Parameters<typeof countShown>[0];
  shown: Shown;
  onShow: (shown: Shown) => void;
}

function Groups({ kb, documents, shown, onShow }: GroupsProps) {
  const t = useTexts();
  const formats = useFormats();
  const session = useSession();
  const act = useVerbs(kb);
  const counts = useMemo(() => countShown(documents), [documents]);
  const failed = documents.filter(({ status }) => status === "failed");
  return (
    <div className={styles.groups} role="group" aria-label={t.documents.groups}>
      {GROUPS.filter((group) => group === "all" || group === shown || counts[group] > 0).map((group) => (
        <button
          key={group}
          type="button"
          className={styles.group}
          aria-pressed={shown === group}
          data-group={group}
          onClick={() => onShow(group)}
        >
          {t.documents.shown[group]} <span>{formats.number(counts[group])}</span>
        </button>
      ))}
      {shown === "failed" && failed.length > 0 && may(session, "write") ? (
        <Button
          small
          icon={RotateCw}
          onClick={() =>
            void failed.reduce((before, { id }) => before.then(() => act("retry", id)), Promise.resolve())
          }
        >
          {t.documents.retryAll}
        </Button>
      ) : null}
    </div>
  );
}

function Nothing({
  isLoading,
  isEmpty,
  canWrite,
}: {
  isLoading: boolean;
  isEmpty: boolean;
  canWrite: boolean;
}) {
  const t = useTexts();
  if (isLoading && isEmpty) {
    return (
      <div className={styles.waiting}>
        <Skeleton lines={7} label={t.shell.loading} />
      </div>
    );
  }
  return (
    <div className={styles.nothing}>
      <Empty icon={Files} title={isEmpty ? t.documents.empty : t.documents.noneMatches}>
        {isEmpty && canWrite ? t.documents.emptyDetail : null}
      </Empty>
    </div>
  );
}
