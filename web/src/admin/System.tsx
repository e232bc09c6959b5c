import { useQuery } from "@tanstack/react-query";

import { call } from "@/api/client";
import type { DependencyOut, SystemOut } from "@/api/schema";
import { Badge } from "@/design/Badge";
import { Skeleton } from "@/design/Empty";
import { Notice, ProblemNotice } from "@/design/Notice";
import { may, useSession } from "@/session/session";
import { useFormats, useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { Queue } from "./Queue";
import { readiness } from "./readiness";
import { TablePlace } from "./TablePlace";

const LOOK_AGAIN_MILLISECONDS = 5000;

/** What runs, what waits, which versions and models are in use; for whoever may only know, whether it is ready. */
export function System() {
  const session = useSession();
  return may(session, "system") ? <Installation /> : <Readiness />;
}

function Installation() {
  const t = useTexts();
  const session = useSession();
  const formats = useFormats();
  const { data, error, refetch, dataUpdatedAt } = useQuery({
    queryKey: ["system"],
    queryFn: ({ signal }) => call("get_system", { signal }),
    refetchInterval: LOOK_AGAIN_MILLISECONDS,
  });
  if (error !== null && data === undefined)
    return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton lines={7} label={t.shell.loading} />;
  const isReady = data.processes.every(({ ok, needed }) => ok || !needed);
  return (
    <section className={styles.panel} aria-label={t.admin.sections.system}>
      <Verdict isReady={isReady} />
      <h2>{t.admin.checks}</h2>
      <Dependencies dependencies={data.processes.map((each) => [each.role, each])} />
      <h2>{t.admin.queue}</h2>
      <Totals queue={data.queue} />
      {may(session, "read") ? <Queue /> : null}
      <h2>{t.admin.models}</h2>
      <Models system={data} />
      <p className={styles.soft}>{t.admin.checked(formats.moment(dataUpdatedAt))}</p>
    </section>
  );
}

function Readiness() {
  const t = useTexts();
  const formats = useFormats();
  const { data, error, refetch, dataUpdatedAt } = useQuery({
    queryKey: ["readiness"],
    queryFn: ({ signal }) => readiness(signal),
    refetchInterval: LOOK_AGAIN_MILLISECONDS,
  });
  if (error !== null) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton lines={5} label={t.shell.loading} />;
  return (
    <section className={styles.panel} aria-label={t.admin.sections.system}>
      {data === null ? (
        <Notice tone="calm">{t.admin.hidden}</Notice>
      ) : (
        <Verdict isReady={data.status === "ready"} />
      )}
      {data?.dependencies ? <Dependencies dependencies={Object.entries(data.dependencies)} /> : null}
      <p className={styles.soft}>{t.admin.checked(formats.moment(dataUpdatedAt))}</p>
    </section>
  );
}

function Verdict({ isReady }: { isReady: boolean }) {
  const t = useTexts();
  return (
    <Notice tone={isReady ? "calm" : "bad"} title={isReady ? t.admin.ready : t.admin.notReady}>
      {isReady ? t.admin.readyDetail : t.admin.notReadyDetail}
    </Notice>
  );
}

function Dependencies({ dependencies }: { dependencies: readonly (readonly [string, DependencyOut])[] }) {
  const t = useTexts();
  const formats = useFormats();
  return (
    <TablePlace label={t.admin.checks}>
      <tbody>
        {dependencies.map(([name, { ok, needed, latency_ms, error }]) => (
          <tr key={name}>
            <th scope="row">
              <code>{name}</code>
              {t.admin.roles[name] === undefined ? null : (
                <span className={styles.means}>{t.admin.roles[name]}</span>
              )}
              {error === null ? null : <span className={styles.wrong}>{error}</span>}
            </th>
            <td>
              <Badge tone={ok ? "good" : needed ? "bad" : "warn"} dot>
                {ok ? t.admin.ok : t.admin.away}
              </Badge>
            </td>
            <td className={`${styles.soft} ${styles.wide}`}>{needed ? t.admin.needed : t.admin.useful}</td>
            <td className={`${styles.number} ${styles.wide}`}>
              {t.admin.latency(formats.decimal(latency_ms))}
            </td>
          </tr>
        ))}
      </tbody>
    </TablePlace>
  );
}

const STATES = ["queued", "processing", "ready", "failed", "quarantined", "cancelled"] as const;

function Totals({ queue }: { queue: SystemOut["queue"] }) {
  const t = useTexts();
  const formats = useFormats();
  const shown = STATES.filter((status) => (queue.documents[status] ?? 0) > 0);
  return (
    <dl className={styles.totals}>
      {shown.map((status) => (
        <div key={status}>
          <dt>{t.documents.states[status]}</dt>
          <dd>{formats.number(queue.documents[status] ?? 0)}</dd>
        </div>
      ))}
      {queue.rings === null ? null : (
        <div>
          <dt>{t.admin.rings}</dt>
          <dd>{formats.number(queue.rings)}</dd>
        </div>
      )}
      {shown.length === 0 ? <p className={styles.soft}>{t.documents.empty}</p> : null}
    </dl>
  );
}

function Models({ system: { models, versions } }: { system: SystemOut }) {
  const t = useTexts();
  const rows: [string, string | null][] = [
    ...models.map(({ role, name }): [string, string | null] => [role, name]),
    ["atoll", versions.atoll],
    ["api", versions.api],
    ["pipeline", String(versions.pipeline)],
    ["python", versions.python],
  ];
  return (
    <TablePlace label={t.admin.models}>
      <tbody>
        {rows.map(([role, name]) => (
          <tr key={role}>
            <th scope="row">{t.admin.inUse[role] ?? role}</th>
            <td className={styles.wrap}>{name === null ? t.admin.away : <code>{name}</code>}</td>
          </tr>
        ))}
      </tbody>
    </TablePlace>
  );
}
