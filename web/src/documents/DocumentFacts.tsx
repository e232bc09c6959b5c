import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import { useState } from "react";

import { call } from "@/api/client";
import type { DocumentOut, StageOut, WarningOut } from "@/api/schema";
import { Badge } from "@/design/Badge";
import { Button } from "@/design/Button";
import { Skeleton } from "@/design/Empty";
import { Notice, ProblemNotice } from "@/design/Notice";
import { Tabs } from "@/design/Tabs";
import { may, useSession } from "@/session/session";
import { useFormats, useTexts } from "@/texts";

import { useVerbs } from "./actions";
import styles from "./DocumentFacts.module.css";
import { canRetry } from "./standing";

type Panel = "details" | "passages" | "stages" | "skipped";
type OnOpen = (page: number, passage: string | null) => void;

interface FactsProps {
  kb: string;
  document: DocumentOut;
  onOpen: OnOpen;
}

/** What is known about a document: its data, its passages, its journey, and what was left out of it. */
export function DocumentFacts({ kb, document, onOpen }: FactsProps) {
  const t = useTexts();
  const session = useSession();
  const [panel, setPanel] = useState<Panel>(document.status === "ready" ? "details" : "stages");
  const panels: Panel[] = [
    "details",
    "passages",
    "stages",
    ...(may(session, "write") ? (["skipped"] as const) : []),
  ];
  return (
    <Tabs
      label={t.documents.about}
      tabs={panels.map((value) => ({ value, label: t.documents.panels[value] }))}
      value={panel}
      onChange={setPanel}
    >
      {panel === "details" ? <Details kb={kb} document={document} onOpen={onOpen} /> : null}
      {panel === "passages" ? <Passages kb={kb} id={document.id} onOpen={onOpen} /> : null}
      {panel === "stages" ? <Stages kb={kb} document={document} /> : null}
      {panel === "skipped" ? <Skipped kb={kb} id={document.id} onOpen={onOpen} /> : null}
    </Tabs>
  );
}

function Details({ kb, document, onOpen }: FactsProps) {
  const t = useTexts();
  const formats = useFormats();
  const words = t.documents.facts;
  const facts: [string, React.ReactNode][] = [
    [words.source, document.source === null ? null : <bdi key="source">{document.source}</bdi>],
    [words.version, formats.number(document.version)],
    [words.type, document.media_type],
    [words.size, formats.bytes(document.bytes)],
    [words.pages, formats.number(document.pages)],
    [words.passages, formats.number(document.passages)],
    [words.entities, formats.number(document.entities)],
    [words.added, formats.moment(document.created_at)],
    [words.ready, document.ready_at === null ? null : formats.moment(document.ready_at)],
    [words.sha256, <code key="sha256">{document.sha256}</code>],
  ];
  return (
    <div className={styles.panel}>
      {document.error === null ? null : <Failure kb={kb} document={document} />}
      {document.warnings.map((warning) => (
        <Warned key={`${warning.page} ${warning.message}`} warning={warning} onOpen={onOpen} />
      ))}
      {document.labels.length > 0 ? (
        <div className={styles.labels}>
          {document.labels.map((label) => (
            <Badge key={label}>{label}</Badge>
          ))}
        </div>
      ) : null}
      <dl className={styles.facts}>
        {facts.map(([label, value]) =>
          value === null ? null : (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
        {Object.entries(document.metadata).map(([key, value]) => (
          <div key={`metadata ${key}`}>
            <dt dir="auto">{key}</dt>
            <dd dir="auto">{typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Failure({ kb, document }: Omit<FactsProps, "onOpen">) {
  const t = useTexts();
  const session = useSession();
  const act = useVerbs(kb);
  const { error } = document;
  if (error === null) return null;
  return (
    <Notice
      tone="bad"
      title={t.documents.failedAt(t.documents.stages[error.stage] ?? error.stage, error.page)}
      actions={
        may(session, "write") && canRetry(document) ? (
          <Button small icon={RotateCw} onClick={() => void act("retry", document.id)}>
            {t.documents.retry}
          </Button>
        ) : null
      }
    >
      <p dir="auto">{error.message}</p>
      <p>{t.documents.remedies[error.type] ?? t.documents.remedy}</p>
    </Notice>
  );
}

function Warned({ warning, onOpen }: { warning: WarningOut; onOpen: OnOpen }) {
  const t = useTexts();
  const { page } = warning;
  return (
    <Notice
      tone="warn"
      actions={
        page === null ? null : (
          <Button small onClick={() => onOpen(page, null)}>
            {t.page.goTo(page)}
          </Button>
        )
      }
    >
      <p dir="auto">{warning.message}</p>
    </Notice>
  );
}

function Passages({ kb, id, onOpen }: { kb: string; id: string; onOpen: OnOpen }) {
  const t = useTexts();
  const { data, error, fetchNextPage, hasNextPage, isFetching } = useInfiniteQuery({
    queryKey: ["all passages", kb, id],
    queryFn: ({ pageParam, signal }) =>
      call("list_passages", { path: { kb, document: id }, query: { limit: 100, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
  });
  if (error !== null) return <ProblemNotice error={error} />;
  return (
    <div className={styles.panel}>
      {data === undefined ? <Skeleton lines={6} label={t.shell.loading} /> : null}
      <ol className={styles.passages}>
        {data?.pages.flatMap(({ passages }) =>
          passages.map((passage) => (
            <li key={passage.id}>
              <button
                type="button"
                className={styles.passage}
                onClick={() => onOpen(passage.page, passage.id)}
              >
                <small>
                  {t.page.page(passage.page)}
                  {passage.headings.length > 0 ? ` · ${passage.headings.join(" › ")}` : ""}
                </small>
                <span dir="auto">{passage.text}</span>
              </button>
            </li>
          )),
        )}
      </ol>
      {hasNextPage ? (
        <Button small disabled={isFetching} onClick={() => void fetchNextPage()}>
          {t.documents.morePassages}
        </Button>
      ) : null}
    </div>
  );
}

function Stages({ kb, document }: Omit<FactsProps, "onOpen">) {
  const t = useTexts();
  const { read } = document;
  return (
    <div className={styles.panel}>
      {document.error === null ? null : <Failure kb={kb} document={document} />}
      <ol className={styles.stages}>
        {document.stages.map((stage) => (
          <Step key={stage.name} stage={stage} told={document.error?.message ?? null} />
        ))}
      </ol>
      {read?.parser ? (
        <p className={styles.read}>
          {t.documents.readBy(read.parser, read.why ?? "")}
          {read.language ? ` · ${read.language}` : ""}
          {read.encoding ? ` · ${read.encoding}` : ""}
        </p>
      ) : null}
      {read?.older ? <Notice tone="warn">{t.documents.older}</Notice> : null}
    </div>
  );
}

/** A stage of the journey; `told` is what stands above it already. */
function Step({ stage, told }: { stage: StageOut; told: string | null }) {
  const t = useTexts();
  const formats = useFormats();
  const { name, state, done, total, seconds, attempts, error } = stage;
  return (
    <li className={styles.stage} data-state={state}>
      <i aria-hidden="true" />
      <div>
        <p className={styles.stageName}>
          {t.documents.stages[name] ?? name}
          <span className="visually-hidden"> {t.documents.stageStates[state]}</span>
        </p>
        <p className={styles.stageFacts}>
          {total > 1 ? `${formats.number(done)} / ${formats.number(total)} · ` : ""}
          {state === "waiting" ? t.documents.stageStates.waiting : formats.seconds(seconds)}
          {attempts > 1 ? ` · ${t.documents.attempts(attempts)}` : ""}
        </p>
        {error === null || error === told ? null : (
          <p className={styles.stageError} dir="auto">
            {error}
          </p>
        )}
      </div>
    </li>
  );
}

const MOST_SKIPPED = 500;

/** What stands in the document and is not searched: repeated heads and feet, hidden text, files that are not read. */
function Skipped({ kb, id, onOpen }: { kb: string; id: string; onOpen: OnOpen }) {
  const t = useTexts();
  const formats = useFormats();
  const { data, error } = useQuery({
    queryKey: ["skipped", kb, id],
    queryFn: ({ signal }) =>
      call("list_skipped", { path: { kb, document: id }, query: { limit: MOST_SKIPPED }, signal }),
  });
  if (error !== null) return <ProblemNotice error={error} />;
  return (
    <div className={styles.panel}>
      {data === undefined ? <Skeleton label={t.shell.loading} /> : null}
      {data?.total === 0 ? <p className={styles.read}>{t.documents.nothingSkipped}</p> : null}
      <ul className={styles.passages}>
        {data?.items.map(({ page, type, text }, at) => {
          const words = (
            <>
              <small>
                {page === null ? "" : `${t.page.page(page)} · `}
                {t.documents.skipped[type] ?? type}
              </small>
              <span dir="auto">{text}</span>
            </>
          );
          return (
            <li key={at}>
              {page === null ? (
                <div className={styles.passage}>{words}</div>
              ) : (
                <button type="button" className={styles.passage} onClick={() => onOpen(page, null)}>
                  {words}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {data !== undefined && data.total > data.items.length ? (
        <p className={styles.read}>{t.documents.moreFiles(formats.number(data.total - data.items.length))}</p>
      ) : null}
    </div>
  );
}
