import { useInfiniteQuery } from "@tanstack/react-query";
import { ScrollText } from "lucide-react";
import { useDeferredValue, useState } from "react";

import { call } from "@/api/client";
import type { EventOut } from "@/api/schema";
import { Badge } from "@/design/Badge";
import { Button } from "@/design/Button";
import { Empty, Skeleton } from "@/design/Empty";
import { TextField } from "@/design/Field";
import { ProblemNotice } from "@/design/Notice";
import { may, useSession } from "@/session/session";
import { useFormats, useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { AuditSeal } from "./AuditSeal";
import { keyList } from "./keyList";
import { dayOf } from "./keyState";
import { TablePlace } from "./TablePlace";

const AT_ONCE = 100;
const DAYS = 7;
const DAY_MILLISECONDS = 86_400_000;
/** Actions that the trail knows; others can be written. */
const ACTIONS = [
  "document.accepted",
  "document.published",
  "document.replaced",
  "document.deleted",
  "document.retried",
  "document.cancelled",
  "document.failed",
  "document.quarantined",
  "key.created",
  "key.revoked",
  "kb.created",
  "kb.updated",
  "kb.deleted",
  "read.denied",
  "write.denied",
];

/** Who did what, oldest first, from a day on. */
export function Audit() {
  const t = useTexts();
  const [since, setSince] = useState(() => dayBefore(DAYS));
  const [actor, setActor] = useState("");
  const [action, setAction] = useState("");
  const wanted = useDeferredValue({ since, actor: actor.trim(), action: action.trim() });
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetching } = useInfiniteQuery({
    queryKey: ["audit", wanted.since, wanted.actor, wanted.action],
    queryFn: ({ pageParam, signal }) =>
      call("list_events", {
        query: {
          since: wanted.since === "" ? null : new Date(`${wanted.since}T00:00:00`).toISOString(),
          actor: wanted.actor || null,
          action: wanted.action || null,
          limit: AT_ONCE,
          cursor: pageParam,
        },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
  const events = data?.pages.flatMap((page) => page.events);
  return (
    <section className={styles.panel} aria-label={t.admin.sections.audit}>
      <div className={styles.bar}>
        <TextField
          label={t.admin.since}
          type="date"
          value={since}
          onChange={(event) => setSince(event.target.value)}
        />
        <TextField
          label={t.admin.action}
          list="audit-actions"
          placeholder={t.admin.anyAction}
          maxLength={64}
          spellCheck={false}
          value={action}
          onChange={(event) => setAction(event.target.value)}
        />
        <datalist id="audit-actions">
          {ACTIONS.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </datalist>
        <TextField
          label={t.admin.actor}
          placeholder={t.admin.actorHint}
          maxLength={64}
          spellCheck={false}
          value={actor}
          onChange={(event) => setActor(event.target.value)}
        />
      </div>
      <AuditSeal />
      {error === null ? null : <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {events === undefined && error === null ? <Skeleton lines={6} label={t.shell.loading} /> : null}
      {events?.length === 0 ? <Empty icon={ScrollText} title={t.admin.noEvents} /> : null}
      {events === undefined || events.length === 0 ? null : <EventTable events={events} />}
      {hasNextPage ? (
        <Button disabled={isFetching} onClick={() => void fetchNextPage()}>
          {t.admin.more}
        </Button>
      ) : null}
    </section>
  );
}

function EventTable({ events }: { events: readonly EventOut[] }) {
  const t = useTexts();
  const formats = useFormats();
  const nameOf = useKeyNames();
  return (
    <TablePlace label={t.admin.sections.audit}>
      <thead>
        <tr>
          <th scope="col">{t.admin.at}</th>
          <th scope="col">{t.admin.actor}</th>
          <th scope="col">{t.admin.action}</th>
          <th scope="col">{t.admin.object}</th>
          <th scope="col">{t.admin.result}</th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <tr key={event.id}>
            <td className={styles.number}>{formats.moment(event.at)}</td>
            <td>
              {nameOf(event.actor) === undefined ? null : <bdi>{nameOf(event.actor)} </bdi>}
              <code>{event.actor}</code>
            </td>
            <td>
              <code>{event.action}</code>
            </td>
            <td className={styles.wrap}>
              <code>{event.object}</code>
            </td>
            <td title={`${t.shell.requestId} ${event.request_id}`}>
              <Badge tone={event.result === "ok" ? "good" : "bad"} dot>
                {event.result}
              </Badge>
            </td>
          </tr>
        ))}
      </tbody>
    </TablePlace>
  );
}

/** Returns what an actor's key is called, to those who may see keys. */
function useKeyNames(): (actor: string) => string | undefined {
  const session = useSession();
  const { data } = useInfiniteQuery({ ...keyList, enabled: may(session, "keys") });
  const keys = data?.pages.flatMap((page) => page.keys) ?? [];
  const names = new Map(keys.map(({ id, name }) => [`key:${id}`, name]));
  return (actor) => names.get(actor);
}

/** A day some days ago, as a date field writes it. */
function dayBefore(days: number): string {
  return dayOf(new Date(Date.now() - days * DAY_MILLISECONDS).toISOString());
}
