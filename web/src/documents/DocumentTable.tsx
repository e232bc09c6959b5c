import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { memo, useRef } from "react";
import { Link, useLocation } from "wouter";

import { Badge } from "@/design/Badge";
import { NO_FILTERS } from "@/ask/filters";
import { askWith } from "@/ask/wishes";
import { places } from "@/shell/places";
import { useFormats, useTexts } from "@/texts";

import type { Choice, Column } from "./choosing";
import type { Listed } from "./documentList";
import { DocumentMenu } from "./DocumentMenu";
import styles from "./DocumentTable.module.css";
import { Status } from "./Status";

interface DocumentTableProps {
  kb: string;
  documents: readonly Listed[];
  choice: Choice;
  onSort: (column: Column) => void;
  onDeleted: (id: string) => void;
  /** Ids of chosen documents, or null where nothing can be done with them. */
  chosen: ReadonlySet<string> | null;
  onChoose: (ids: readonly string[], on: boolean) => void;
}

const COLUMNS: readonly Column[] = ["name", "status", "pages", "bytes", "created_at"];
const ROW = 48;
const NARROW_ROW = 68;

/** Documents in rows; only those in sight are drawn, however many there are. */
export function DocumentTable(props: DocumentTableProps) {
  const { kb, documents, choice, onSort, onDeleted, chosen, onChoose } = props;
  const t = useTexts();
  const place = useRef<HTMLDivElement>(null);
  const isNarrow = window.matchMedia("(width < 52rem)").matches;
  const rows = useVirtualizer({
    count: documents.length,
    getScrollElement: () => place.current,
    getItemKey: (index) => documents[index]?.id ?? index,
    estimateSize: () => (isNarrow ? NARROW_ROW : ROW),
    overscan: 8,
  });
  return (
    <div
      ref={place}
      className={styles.place}
      role="table"
      aria-label={t.documents.title}
      aria-rowcount={documents.length + 1}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- rows are scrolled by the keyboard too
      tabIndex={0}
    >
      <div className={styles.head} role="row" data-choosing={chosen !== null || undefined}>
        {chosen === null ? null : (
          <span role="columnheader" data-column="choose">
            <input
              type="checkbox"
              aria-label={t.documents.chooseAll}
              checked={documents.every(({ id }) => chosen.has(id))}
              onChange={(event) =>
                onChoose(
                  documents.map(({ id }) => id),
                  event.target.checked,
                )
              }
            />
          </span>
        )}
        {COLUMNS.map((column) => (
          <Heading key={column} column={column} choice={choice} onSort={onSort} />
        ))}
        <span role="columnheader">
          <span className="visually-hidden">{t.documents.actions}</span>
        </span>
      </div>
      <div role="rowgroup" className={styles.rows} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start, size, key }) => {
          const document = documents[index];
          return document === undefined ? null : (
            <div
              key={key}
              role="row"
              aria-rowindex={index + 2}
              className={styles.row}
              data-choosing={chosen !== null || undefined}
              data-chosen={chosen?.has(document.id) || undefined}
              style={{ transform: `translateY(${start}px)`, height: size }}
            >
              {chosen === null ? null : (
                <span role="cell" data-column="choose">
                  <input
                    type="checkbox"
                    aria-label={t.documents.choose(document.name)}
                    checked={chosen.has(document.id)}
                    onChange={(event) => onChoose([document.id], event.target.checked)}
                  />
                </span>
              )}
              <Cells kb={kb} document={document} onDeleted={onDeleted} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface HeadingProps {
  column: Column;
  choice: Choice;
  onSort: (column: Column) => void;
}

function Heading({ column, choice, onSort }: HeadingProps) {
  const t = useTexts();
  const isSorted = choice.column === column;
  const Arrow = choice.descending ? ArrowDown : ArrowUp;
  const order = choice.descending ? "descending" : "ascending";
  return (
    <span role="columnheader" aria-sort={isSorted ? order : undefined} data-column={column}>
      <button type="button" onClick={() => onSort(column)}>
        {t.documents.columns[column]}
        {isSorted ? <Arrow size={13} aria-hidden="true" /> : null}
      </button>
    </span>
  );
}

interface CellsProps {
  kb: string;
  document: Listed;
  onDeleted: (id: string) => void;
}

const Cells = memo(function Cells({ kb, document, onDeleted }: CellsProps) {
  const formats = useFormats();
  const [, navigate] = useLocation();
  return (
    <>
      <span role="cell" className={styles.name} data-column="name">
        <Link href={places.document(kb, document.id)} title={document.name}>
          <bdi>{document.name}</bdi>
        </Link>
        <span className={styles.under}>
          {document.source ? <bdi>{document.source}</bdi> : null}
          {document.labels.map((label) => (
            <Badge key={label}>{label}</Badge>
          ))}
          {document.error === null ? null : (
            <span className={styles.error} title={document.error.message}>
              {document.error.message}
            </span>
          )}
        </span>
      </span>
      <span role="cell" data-column="status">
        <Status status={document.status} stages={document.stages} warnings={document.warnings} />
      </span>
      <span role="cell" data-column="pages">
        {document.pages > 0 ? formats.number(document.pages) : ""}
      </span>
      <span role="cell" data-column="bytes">
        {formats.bytes(document.bytes)}
      </span>
      <span role="cell" data-column="created_at" title={formats.moment(document.created_at)}>
        {formats.ago(document.created_at)}
      </span>
      <span role="cell" data-column="actions">
        <DocumentMenu
          kb={kb}
          document={document}
          onAsk={() => {
            askWith({ ...NO_FILTERS, documents: [{ id: document.id, name: document.name }] });
            navigate(places.ask(kb));
          }}
          onDeleted={() => onDeleted(document.id)}
        />
      </span>
    </>
  );
});
