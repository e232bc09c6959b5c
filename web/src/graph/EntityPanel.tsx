import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import type { EntityDetailOut, NeighbourhoodOut } from "@/api/schema";
import { Badge } from "@/design/Badge";
import { Skeleton } from "@/design/Empty";
import { Notice, ProblemNotice } from "@/design/Notice";
import { places } from "@/shell/places";
import { useFormats, useTexts } from "@/texts";

import styles from "./GraphPage.module.css";
import { entityQuery } from "./queries";

interface EntityPanelProps {
  kb: string;
  entity: string;
  relations: NeighbourhoodOut["relations"];
}

/** What the documents say of an entity: how it is written, what it is taken for, and each place that opens its page. */
export function EntityPanel({ kb, entity, relations }: EntityPanelProps) {
  const t = useTexts();
  const formats = useFormats();
  const { data, error } = useQuery(entityQuery(kb, entity));
  if (error !== null) return <ProblemNotice error={error} />;
  if (data === undefined) return <Skeleton lines={6} label={t.shell.loading} />;
  return (
    <div className={styles.panel}>
      <h2 dir="auto">{data.name}</h2>
      <p className={styles.soft}>{t.graph.passages(data.passages, formats.number(data.passages))}</p>
      <Types entity={data} />
      {data.surfaces.length > 1 ? (
        <>
          <h3>{t.graph.writtenAs}</h3>
          <p dir="auto">{data.surfaces.map(({ value }) => value).join(" · ")}</p>
        </>
      ) : null}
      {relations.length > 0 ? (
        <>
          <h3>{t.graph.relations}</h3>
          <ul className={styles.sentences}>
            {relations.map((relation, at) => (
              <li key={at} dir="auto">
                {relation.description || relation.keywords.join(", ")}
              </li>
            ))}
          </ul>
        </>
      ) : null}
      <h3>{t.graph.sentences}</h3>
      <ul className={styles.sentences}>
        {data.sample.map((passage) => (
          <li key={passage.id}>
            <Link
              href={places.page(kb, passage.document_id, passage.page, {
                passage: passage.id,
                name: passage.document,
              })}
            >
              <bdi>{passage.document}</bdi>, {t.page.page(passage.page)}
            </Link>
            <p dir="auto">{passage.text}</p>
          </li>
        ))}
      </ul>
      <h3>{t.graph.documents}</h3>
      <ul className={styles.documents}>
        {data.documents.map((document) => (
          <li key={document.id}>
            <Link href={places.document(kb, document.id)}>
              <bdi>{document.name}</bdi>
            </Link>
            <span className={styles.soft}>{formats.number(document.passages)}</span>
          </li>
        ))}
      </ul>
      {data.truncated ? <p className={styles.soft}>{t.graph.truncated}</p> : null}
    </div>
  );
}

/** A majority that is small must not look like knowledge. */
const CERTAIN = 0.8;

/** The types that mentions were given, with their shares. */
function Types({ entity }: { entity: EntityDetailOut }) {
  const t = useTexts();
  const formats = useFormats();
  const total = entity.types.reduce((sum, { passages }) => sum + passages, 0);
  const isSure = (entity.types[0]?.passages ?? 0) >= CERTAIN * total;
  return (
    <>
      <h3>{t.graph.types}</h3>
      <p className={styles.types}>
        {entity.types.map(({ value, passages }) => (
          <Badge key={value} tone={isSure && value === entity.type ? "accent" : "plain"}>
            {value} {formats.percent(passages / Math.max(1, total))}
          </Badge>
        ))}
      </p>
      {isSure ? null : <Notice>{t.graph.unsure}</Notice>}
    </>
  );
}
