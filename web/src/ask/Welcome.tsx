import { useQuery } from "@tanstack/react-query";
import { FileText, Upload } from "lucide-react";
import { Link } from "wouter";

import { call } from "@/api/client";
import { may, useSession } from "@/session/session";
import { places } from "@/shell/places";
import { useFormats, useTexts } from "@/texts";

import styles from "./Welcome.module.css";

const NEWEST = 4;

/** Before the first question: what can be asked about. */
export function Welcome({ kb }: { kb: string }) {
  const t = useTexts();
  const formats = useFormats();
  const session = useSession();
  const { data } = useQuery({
    queryKey: ["welcome", kb],
    queryFn: ({ signal }) =>
      call("list_documents", { path: { kb }, query: { status: "ready", limit: NEWEST }, signal }),
  });
  const ready = data?.counts.ready ?? 0;
  const waiting = (data?.counts.queued ?? 0) + (data?.counts.processing ?? 0);
  return (
    <div className={styles.welcome}>
      <h1>{t.ask.welcome}</h1>
      {data === undefined ? null : (
        <p className={styles.lead}>
          {ready > 0 ? t.ask.holds(kb, formats.number(ready)) : t.ask.holdsNothing(kb)}
          {waiting > 0 ? ` ${t.ask.beingRead(formats.number(waiting))}` : ""}
        </p>
      )}
      {data !== undefined && data.documents.length > 0 ? (
        <>
          <h2 className={styles.heading}>{t.ask.newest}</h2>
          <ul className={styles.documents}>
            {data.documents.map((document) => (
              <li key={document.id}>
                <Link href={places.document(kb, document.id)} className={styles.document}>
                  <FileText size={16} aria-hidden="true" />
                  <bdi>{document.name}</bdi>
                  <span>{t.documents.pages(document.pages)}</span>
                </Link>
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {data !== undefined && may(session, "write") && ready === 0 ? (
        <Link href={places.documents(kb)} className={styles.upload}>
          <Upload size={16} aria-hidden="true" /> {t.ask.addDocuments}
        </Link>
      ) : null}
    </div>
  );
}
