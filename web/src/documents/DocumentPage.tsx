import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useLocation, useSearch } from "wouter";

import { Problem } from "@/api/problem";
import type { DocumentOut } from "@/api/schema";
import { askWith } from "@/ask/wishes";
import { NO_FILTERS } from "@/ask/filters";
import { Skeleton } from "@/design/Empty";
import { Notice, ProblemNotice } from "@/design/Notice";
import { Gone } from "@/page/Gone";
import type { Hit } from "@/page/hits";
import { PagePane } from "@/page/PagePane";
import { documentQuery, pageQuery } from "@/page/queries";
import { places } from "@/shell/places";
import { useTexts } from "@/texts";

import { DocumentFacts } from "./DocumentFacts";
import { DocumentMenu } from "./DocumentMenu";
import styles from "./DocumentPage.module.css";
import { Status } from "./Status";

const STILL_READ = new Set<string>(["queued", "processing"]);
const LOOK_AGAIN_MILLISECONDS = 1000;

/** A document: its pages, opened where the address says, and everything that is known about it. */
export function DocumentPage({ kb, id, page }: { kb: string; id: string; page: number }) {
  const t = useTexts();
  const [, navigate] = useLocation();
  const query = new URLSearchParams(useSearch());
  const [mark, name, source] = [query.get("mark"), query.get("name"), query.get("source")];
  const { data: document, error } = useQuery({
    ...documentQuery(kb, id),
    refetchInterval: ({ state }) =>
      state.data !== undefined && STILL_READ.has(state.data.status) ? LOOK_AGAIN_MILLISECONDS : false,
  });
  useEffect(() => {
    if (document !== undefined) window.document.title = `${document.name} · Atoll`;
    return () => {
      window.document.title = "Atoll";
    };
  }, [document]);
  // The address in the bar can be kept and passed on: it finds the newer version once this one was replaced.
  const at = Math.min(page, document?.pages || page);
  const kept =
    document === undefined
      ? null
      : places.page(kb, id, at, { passage: mark, name: document.name, source: document.source });
  useEffect(() => {
    if (kept !== null && kept !== location.pathname + location.search) navigate(kept, { replace: true });
  }, [kept, navigate]);
  // What was shown a moment ago is gone with its document.
  if (error !== null && (document === undefined || (error instanceof Problem && error.isGone)))
    return <Gone kb={kb} error={error} name={name} source={source} />;
  if (document === undefined) {
    return (
      <div className={styles.waiting}>
        <Skeleton lines={6} label={t.shell.loading} />
      </div>
    );
  }
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <h1>
          <bdi>{document.name}</bdi>
        </h1>
        <Status status={document.status} stages={document.stages} warnings={document.warnings} />
        <DocumentMenu
          kb={kb}
          document={document}
          onAsk={() => {
            askWith({ ...NO_FILTERS, documents: [{ id, name: document.name }] });
            navigate(places.ask(kb));
          }}
          onDeleted={() => navigate(places.documents(kb))}
        />
      </header>
      <div className={styles.body}>
        {document.pages > 0 && document.status !== "failed" && document.status !== "quarantined" ? (
          <Pages kb={kb} document={document} page={at} mark={mark} />
        ) : null}
        <aside className={styles.facts} aria-label={t.documents.about}>
          <DocumentFacts
            kb={kb}
            document={document}
            onOpen={(wanted, passage) =>
              navigate(places.page(kb, id, wanted, { passage }), { replace: true })
            }
          />
        </aside>
      </div>
    </div>
  );
}

interface PagesProps {
  kb: string;
  document: DocumentOut;
  page: number;
  mark: string | null;
}

function Pages({ kb, document: { id, name, source }, page, mark }: PagesProps) {
  const t = useTexts();
  const [, navigate] = useLocation();
  // A mark stays in the address when pages are turned: only on the page that it came with it must be found.
  const [came] = useState({ mark, page });
  const { data: shown, error } = useQuery({ ...pageQuery(kb, id, page), enabled: mark !== null });
  const hits = useMemo<Hit[]>(() => {
    const marks = shown?.passages.find((passage) => passage.id === mark)?.boxes ?? [];
    const passageId = marks.length > 0 ? mark : null;
    const place = { documentId: id, document: name, source, page, passageId };
    return [{ ...place, marks, frame: [], n: null, sentence: null, text: "" }];
  }, [id, name, source, page, mark, shown]);
  const turn = useCallback(
    (next: number) => navigate(places.page(kb, id, next, { passage: mark, name, source }), { replace: true }),
    [kb, id, mark, name, source, navigate],
  );
  if (error !== null) return <ProblemNotice error={error} />;
  const isLost =
    mark !== null &&
    mark === came.mark &&
    page === came.page &&
    shown !== undefined &&
    hits[0]?.passageId === null;
  return (
    <div className={styles.viewer}>
      {isLost ? <Notice tone="warn">{t.page.markLost}</Notice> : null}
      <PagePane kb={kb} hits={hits} at={0} onMove={() => undefined} onTurn={turn} question={null} bare />
    </div>
  );
}
