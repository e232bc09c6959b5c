import { useQuery } from "@tanstack/react-query";

import type { ReadyOut } from "@/api/schema";
import { Badge } from "@/design/Badge";
import { Skeleton } from "@/design/Empty";
import { Notice, ProblemNotice } from "@/design/Notice";
import { useFormats, useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { readiness } from "./readiness";
import { TablePlace } from "./TablePlace";

const LOOK_AGAIN_MILLISECONDS = 5000;

/** Whether Atoll is ready, and what of that which it leans on answers. */
export function System() {
  const t = useTexts();
  const formats = useFormats();
  const { data, error, refetch, dataUpdatedAt } = useQuery({
    queryKey: ["readiness"],
    queryFn: ({ signal }) => readiness(signal),
    refetchInterval: LOOK_AGAIN_MILLISECONDS,
  });
  if (error !== null) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton lines={5} label={t.shell.loading} />;
  const isReady = data?.status === "ready";
  return (
    <section className={styles.panel} aria-label={t.admin.sections.system}>
      {data === null ? (
        <Notice tone="calm">{t.admin.hidden}</Notice>
      ) : (
        <Notice tone={isReady ? "calm" : "bad"} title={isReady ? t.admin.ready : t.admin.notReady}>
          {isReady ? t.admin.readyDetail : t.admin.notReadyDetail}
        </Notice>
      )}
      {data?.dependencies ? <Dependencies dependencies={data.dependencies} /> : null}
      <p className={styles.soft}>{t.admin.checked(formats.moment(dataUpdatedAt))}</p>
    </section>
  );
}

function Dependencies({ dependencies }: { dependencies: NonNullable<ReadyOut["dependencies"]> }) {
  const t = useTexts();
  const formats = useFormats();
  return (
    <TablePlace label={t.admin.checks}>
      <tbody>
        {Object.entries(dependencies).map(([name, { ok, needed, latency_ms, error }]) => (
          <tr key={name}>
            <th scope="row">
              <code>{name}</code>
            </th>
            <td>
              <Badge tone={ok ? "good" : needed ? "bad" : "warn"} dot>
                {ok ? t.admin.ok : t.admin.away}
              </Badge>
            </td>
            <td className={styles.soft}>{needed ? t.admin.needed : t.admin.useful}</td>
            <td className={styles.number}>{t.admin.latency(formats.decimal(latency_ms))}</td>
            <td className={styles.wrap}>{error}</td>
          </tr>
        ))}
      </tbody>
    </TablePlace>
  );
}
