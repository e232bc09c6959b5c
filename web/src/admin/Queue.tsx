import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";

import { call } from "@/api/client";
import type { DocumentsOut, Status } from "@/api/schema";
import { Button } from "@/design/Button";
import { Notice } from "@/design/Notice";
import { useBulk } from "@/documents/useBulk";
import { kbsQuery } from "@/shell/kbs";
import { places } from "@/shell/places";
import { useFormats, useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { TablePlace } from "./TablePlace";

const LOOK_AGAIN_MILLISECONDS = 10_000;
/** More knowledge bases than this are looked at in their own lists. */
const MOST_KBS = 60;
const SHOWN: readonly Status[] = ["queued", "processing", "failed", "quarantined"];
const STOPPED: readonly Status[] = ["failed", "quarantined"];
const PAGE = 500;

interface Row {
  kb: string;
  counts: DocumentsOut["counts"];
}

/** What waits and what failed in each knowledge base, and a way to try all of that again. */
export function Queue() {
  const t = useTexts();
  const formats = useFormats();
  const { data: kbs } = useQuery(kbsQuery);
  const rows = useQueries({
    queries: (kbs ?? []).slice(0, MOST_KBS).map(({ name: kb }) => ({
      queryKey: ["queue", kb],
      queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Row> => ({
        kb,
        counts: (await call("list_documents", { path: { kb }, query: { limit: 1 }, signal })).counts,
      }),
      refetchInterval: LOOK_AGAIN_MILLISECONDS,
    })),
  }).flatMap(({ data }) => (data === undefined ? [] : [data]));
  const open = rows.filter(({ counts }) => SHOWN.some((status) => (counts[status] ?? 0) > 0));
  if (kbs === undefined || rows.length === 0) return null;
  if (open.length === 0) return <p className={styles.soft}>{t.admin.nothingWaits}</p>;
  return (
    <>
      {kbs.length > MOST_KBS ? <Notice>{t.admin.mostKbs(MOST_KBS)}</Notice> : null}
      <TablePlace label={t.admin.queue}>
        <thead>
          <tr>
            <th scope="col">{t.shell.kb}</th>
            {SHOWN.map((status) => (
              <th key={status} scope="col">
                {t.documents.states[status]}
              </th>
            ))}
            <th scope="col">
              <span className="visually-hidden">{t.documents.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody className={styles.number}>
          {open.map(({ kb, counts }) => (
            <tr key={kb}>
              <th scope="row">
                <Link href={places.documents(kb)}>{kb}</Link>
              </th>
              {SHOWN.map((status) => (
                <td key={status}>{formats.number(counts[status] ?? 0)}</td>
              ))}
              <td>{STOPPED.some((status) => (counts[status] ?? 0) > 0) ? <RetryAll kb={kb} /> : null}</td>
            </tr>
          ))}
        </tbody>
      </TablePlace>
    </>
  );
}

function RetryAll({ kb }: { kb: string }) {
  const t = useTexts();
  const client = useQueryClient();
  const [looking, setLooking] = useState(false);
  const { progress, run } = useBulk();
  async function retry() {
    setLooking(true);
    try {
      const stopped = await Promise.all(STOPPED.map((status) => idsOf(kb, status)));
      await run(stopped.flat(), (document) => call("retry_document", { path: { kb, document } }));
    } finally {
      setLooking(false);
      await client.invalidateQueries({ queryKey: ["queue", kb] });
    }
  }
  return (
    <Button small icon={RotateCw} disabled={looking} onClick={() => void retry()}>
      {progress === null
        ? t.admin.retryAll
        : t.documents.bulkProgress(String(progress.done), String(progress.total))}
      <span className="visually-hidden"> {kb}</span>
    </Button>
  );
}

/** The ids of all documents with a status. */
async function idsOf(kb: string, status: Status): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page: DocumentsOut = await call("list_documents", {
      path: { kb },
      query: { status, limit: PAGE, cursor },
    });
    ids.push(...page.documents.map(({ id }) => id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  return ids;
}
