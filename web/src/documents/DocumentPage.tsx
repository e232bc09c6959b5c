import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSearch } from "wouter";

import { Skeleton } from "@/design/Empty";
import { Gone } from "@/page/Gone";
import type { Hit } from "@/page/hits";
import { PagePane } from "@/page/PagePane";
import { documentQuery, pageQuery } from "@/page/queries";
import { useTexts } from "@/texts";

import styles from "./DocumentPage.module.css";

/** A document, opened at a page, with the passage marked that the address names. */
export function DocumentPage({ kb, id, page }: { kb: string; id: string; page: number }) {
  const t = useTexts();
  const query = new URLSearchParams(useSearch());
  const [mark, name] = [query.get("mark"), query.get("name")];
  const { data: document, error } = useQuery(documentQuery(kb, id));
  const { data: shown } = useQuery({ ...pageQuery(kb, id, page), enabled: mark !== null });
  const hits = useMemo<Hit[]>(() => {
    const marks = shown?.passages.find((passage) => passage.id === mark)?.boxes ?? [];
    const place = { documentId: id, document: document?.name ?? name ?? "", page, passageId: mark };
    return [{ ...place, marks, frame: [], n: null, sentence: null, text: "" }];
  }, [id, document?.name, name, page, mark, shown]);
  if (error !== null && document === undefined) return <Gone kb={kb} error={error} name={name} />;
  if (document === undefined || (mark !== null && shown === undefined)) {
    return (
      <div className={styles.waiting}>
        <Skeleton lines={6} label={t.page.loading} />
      </div>
    );
  }
  return <PagePane kb={kb} hits={hits} at={0} onMove={() => undefined} question={null} />;
}
