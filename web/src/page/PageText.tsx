import { useQuery } from "@tanstack/react-query";
import { FileQuestion } from "lucide-react";

import { Empty, Skeleton } from "@/design/Empty";
import { ProblemNotice } from "@/design/Notice";
import { useTexts } from "@/texts";

import styles from "./PageText.module.css";
import { passagesQuery } from "./queries";

interface PageTextProps {
  kb: string;
  document: string;
  page: number;
  /** Passages of the whole document. */
  total: number;
  marked: string | null;
}

/** The text of a page as it was read, passage by passage: to be copied, or read out. */
export function PageText({ kb, document, page, total, marked }: PageTextProps) {
  const t = useTexts();
  const { data, error, refetch } = useQuery(passagesQuery(kb, document, page, total));
  if (error !== null) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  return (
    // Long text is scrolled by the keyboard too.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.place} tabIndex={0} role="region" aria-label={t.page.textOf(page)}>
      {data === undefined ? <Skeleton lines={6} label={t.page.loading} /> : null}
      {data?.length === 0 ? <Empty icon={FileQuestion} title={t.page.noText} /> : null}
      {data?.map((passage) => (
        <article
          key={passage.id}
          className={passage.id === marked ? styles.marked : styles.passage}
          dir="auto"
        >
          {passage.headings.length > 0 ? (
            <p className={styles.headings} dir="auto">
              {passage.headings.join(" › ")}
            </p>
          ) : null}
          <p className={styles.text}>{passage.text}</p>
        </article>
      ))}
    </div>
  );
}
