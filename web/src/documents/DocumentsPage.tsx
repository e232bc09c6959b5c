import { Files, ListChecks, Search, Upload } from "lucide-react";
import { type DragEvent, useDeferredValue, useMemo, useState } from "react";

import { Button } from "@/design/Button";
import { Empty, Skeleton } from "@/design/Empty";
import { Notice, ProblemNotice } from "@/design/Notice";
import { may, useSession } from "@/session/session";
import { useFormats, useTexts } from "@/texts";

import { BulkBar } from "./BulkBar";
import { choose, type Choice, type Column, countShown, EVERYTHING, foldersOf, type Shown } from "./choosing";
import { MOST_DOCUMENTS } from "./documentList";
import styles from "./DocumentsPage.module.css";
import { DocumentTable } from "./DocumentTable";
import { fromDrop } from "./dropped";
import { Folders } from "./Folders";
import { UploadDialog } from "./UploadDialog";
import type { Chosen } from "./uploads";
import { useDocuments } from "./useDocuments";

const GROUPS: readonly Shown[] = ["all", "ready", "waiting", "failed", "warned", "older"];

/** All documents of a knowledge base, as they arrive and change. */
export function DocumentsPage({ kb }: { kb: string }) {
  const t = useTexts();
  const session = useSession();
  const { state, list } = useDocuments(kb);
  const [choice, setChoice] = useState<Choice>(EVERYTHING);
  const [adding, setAdding] = useState<Chosen[] | null>(null);
  const [chosenIds, setChosenIds] = useState<ReadonlySet<string>>(new Set());
  const canWrite = may(session, "write");
  const change = (part: Partial<Choice>) => setChoice((now) => ({ ...now, ...part }));
  const deferred = useDeferredValue(choice);
  const shown = useMemo(() => choose(state.documents, deferred), [state.documents, deferred]);
  const folders = useMemo(() => foldersOf(state.documents), [state.documents]);
  const sort = (column: Column) =>
    change({ column, descending: choice.column === column ? !choice.descending : column !== "name" });

  // What is filtered away or gone is not acted upon unseen.
  const chosen = useMemo(() => shown.filter(({ id }) => chosenIds.has(id)), [shown, chosenIds]);
  function onChoose(ids: readonly string[], on: boolean) {
    setChosenIds((now) => new Set(on ? [...now, ...ids] : [...now].filter((id) => !ids.includes(id))));
  }

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
        documents={state.documents}
        shown={choice.shown}
        onShow={(group) => change({ shown: group })}
        onChooseAll={
          canWrite && shown.length > 0 && chosen.length === 0
            ? () =>
                onChoose(
                  shown.map(({ id }) => id),
                  true,
                )
            : null
        }
      />
      {choice.shown === "older" && shown.length > 0 ? <Notice>{t.documents.olderLead}</Notice> : null}
      {chosen.length > 0 ? (
        <BulkBar
          kb={kb}
          chosen={chosen}
          onClear={() => setChosenIds(new Set())}
          onDeleted={(id) => list.remove(id)}
        />
      ) : null}
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
            chosen={canWrite ? chosenIds : null}
            onChoose={onChoose}
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
  documents: Parameters<typeof countShown>[0];
  shown: Shown;
  onShow: (shown: Shown) => void;
  onChooseAll: (() => void) | null;
}

function Groups({ documents, shown, onShow, onChooseAll }: GroupsProps) {
  const t = useTexts();
  const formats = useFormats();
  const counts = useMemo(() => countShown(documents), [documents]);
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
      {onChooseAll === null ? null : (
        <Button small look="quiet" icon={ListChecks} onClick={onChooseAll}>
          {t.documents.chooseAll}
        </Button>
      )}
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
