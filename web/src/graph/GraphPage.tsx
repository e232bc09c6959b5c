import { useQuery } from "@tanstack/react-query";
import { Waypoints } from "lucide-react";
import { lazy, Suspense, useDeferredValue, useState } from "react";
import { Link, useLocation } from "wouter";

import type { NeighbourhoodOut } from "@/api/schema";
import { Empty, Skeleton } from "@/design/Empty";
import { InlineSelect, SelectField, TextField } from "@/design/Field";
import { ProblemNotice } from "@/design/Notice";
import { Tabs } from "@/design/Tabs";
import { places } from "@/shell/places";
import { useFormats, useTexts } from "@/texts";

import { EntityPanel } from "./EntityPanel";
import styles from "./GraphPage.module.css";
import { aroundQuery, entitiesQuery, typesQuery } from "./queries";

const Drawing = lazy(async () => ({ default: (await import("./Drawing")).Drawing }));

/** The names in the documents of a knowledge base, and what stands around one of them. */
export function GraphPage({ kb, entity }: { kb: string; entity: string | null }) {
  const t = useTexts();
  return (
    <div className={styles.page} data-chosen={entity !== null}>
      <Names kb={kb} chosen={entity} />
      {entity === null ? (
        <div className={styles.nothing}>
          <Empty icon={Waypoints} title={t.graph.choose} />
        </div>
      ) : (
        <Around key={entity} kb={kb} entity={entity} />
      )}
    </div>
  );
}

function Names({ kb, chosen }: { kb: string; chosen: string | null }) {
  const t = useTexts();
  const formats = useFormats();
  const [text, setText] = useState("");
  const [type, setType] = useState("");
  const wanted = useDeferredValue(text.trim());
  const { data, error, refetch } = useQuery(entitiesQuery(kb, wanted, type));
  const types = useQuery(typesQuery(kb)).data?.labels ?? [];
  return (
    <section className={styles.names} aria-label={t.graph.names}>
      <h1>{t.graph.title}</h1>
      <TextField
        label={t.graph.find}
        type="search"
        maxLength={200}
        dir="auto"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <SelectField
        label={t.graph.type}
        value={type}
        choices={[
          { value: "", label: t.graph.anyType },
          ...types.map((each) => ({
            value: each.type,
            label: `${each.type} (${formats.number(each.entities)})`,
          })),
        ]}
        onChange={setType}
      />
      {error === null ? null : <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null ? <Skeleton lines={6} label={t.shell.loading} /> : null}
      {data?.entities.length === 0 ? (
        <p className={styles.soft}>{wanted === "" && type === "" ? t.graph.empty : t.graph.nothing}</p>
      ) : null}
      <ul className={styles.list}>
        {data?.entities.map((each) => (
          <li key={each.id}>
            <Link href={places.graph(kb, each.id)} aria-current={each.id === chosen ? "true" : undefined}>
              <bdi>{each.name}</bdi>
              <small>{each.type}</small>
              <small>{formats.number(each.passages)}</small>
            </Link>
          </li>
        ))}
      </ul>
      {data?.truncated ? <p className={styles.soft}>{t.graph.truncated}</p> : null}
    </section>
  );
}

function Around({ kb, entity }: { kb: string; entity: string }) {
  const t = useTexts();
  const [, navigate] = useLocation();
  const [view, setView] = useState<"drawing" | "list">("drawing");
  const [hops, setHops] = useState("1");
  const { data, error, refetch } = useQuery(aroundQuery(kb, entity, Number(hops)));
  if (error !== null) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  return (
    <>
      <section className={styles.around} aria-label={data ? t.graph.around(data.entity.name) : t.graph.title}>
        <InlineSelect
          label={t.graph.hops}
          value={hops}
          choices={[1, 2, 3].map((count) => ({ value: String(count), label: t.graph.steps(count) }))}
          onChange={setHops}
        />
        <Tabs
          label={t.graph.views}
          value={view}
          onChange={setView}
          tabs={[
            { value: "drawing", label: t.graph.drawing },
            { value: "list", label: t.graph.list },
          ]}
        >
          {data === undefined ? (
            <Skeleton lines={6} label={t.shell.loading} />
          ) : view === "list" ? (
            <Neighbours kb={kb} around={data} />
          ) : (
            <Suspense fallback={<Skeleton lines={6} label={t.shell.loading} />}>
              <Drawing around={data} onChoose={(id) => navigate(places.graph(kb, id))} />
            </Suspense>
          )}
        </Tabs>
        {data?.truncated ? <p className={styles.soft}>{t.graph.truncated}</p> : null}
      </section>
      <aside className={styles.aside}>
        <EntityPanel
          kb={kb}
          entity={entity}
          relations={(data?.relations ?? []).filter(({ head, tail }) => [head, tail].includes(entity))}
        />
      </aside>
    </>
  );
}

/** The same as the drawing, in words: what is near, and in how many passages both are named. */
function Neighbours({ kb, around }: { kb: string; around: NeighbourhoodOut }) {
  const t = useTexts();
  const formats = useFormats();
  if (around.entities.length === 0) return <p className={styles.soft}>{t.graph.alone}</p>;
  const together = new Map<string, number>();
  for (const { head, tail, passages } of around.links) {
    if (head === around.entity.id) together.set(tail, passages);
    if (tail === around.entity.id) together.set(head, passages);
  }
  return (
    <ul className={styles.list}>
      {around.entities.map((each) => {
        const shared = together.get(each.id);
        return (
          <li key={each.id}>
            <Link href={places.graph(kb, each.id)}>
              <bdi>{each.name}</bdi>
              <small>{each.type}</small>
              <small>
                {shared === undefined
                  ? t.graph.steps(each.hops)
                  : t.graph.passages(shared, formats.number(shared))}
              </small>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}
