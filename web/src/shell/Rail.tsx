import {
  ChevronsUpDown,
  Files,
  FlaskConical,
  type LucideIcon,
  MessageSquarePlus,
  Settings,
  Trash2,
  Waypoints,
} from "lucide-react";
import { Link, useLocation } from "wouter";

import { Brand } from "@/design/Brand";
import { Button, IconButton } from "@/design/Button";
import { Menu, MenuChoice } from "@/design/Menu";
import { useConversations, useSummaries } from "@/history";
import { administers, may, useSession } from "@/session/session";
import { useTexts } from "@/texts";
import { useQuery } from "@tanstack/react-query";

import { Account } from "./Account";
import { kbsQuery } from "./kbs";
import { places } from "./places";
import styles from "./Rail.module.css";
import { useCurrentKb } from "./useCurrentKb";

/** Where one can go: the knowledge base, its views, what was asked before, and who is signed in. */
export function Rail({ inDrawer = false }: { inDrawer?: boolean }) {
  const t = useTexts();
  const session = useSession();
  const kb = useCurrentKb();
  const canRead = may(session, "read");
  return (
    <div className={styles.rail}>
      {inDrawer ? null : (
        <div className={styles.brand}>
          <Brand />
        </div>
      )}
      {canRead && kb !== null ? <KbChoice kb={kb} /> : null}
      <nav aria-label={t.shell.views} className={styles.views}>
        {canRead && kb !== null ? (
          <>
            <View icon={MessageSquarePlus} href={places.ask(kb)} label={t.shell.newQuestion} />
            <View
              icon={Files}
              href={places.documents(kb)}
              label={t.shell.documents}
              also={`/kb/${kb}/doc/`}
            />
            <View icon={Waypoints} href={places.graph(kb)} label={t.graph.title} also={`/kb/${kb}/graph/`} />
            <View icon={FlaskConical} href={places.search(kb)} label={t.search.title} />
          </>
        ) : null}
        {administers(session) ? (
          <View icon={Settings} href="/admin" label={t.shell.administration} also="/admin/" />
        ) : null}
      </nav>
      {canRead ? <History kb={kb} /> : null}
      <Account />
    </div>
  );
}

function View({
  icon: Icon,
  href,
  label,
  also,
}: {
  icon: LucideIcon;
  href: string;
  label: string;
  also?: string;
}) {
  const [location] = useLocation();
  const isHere = location === href || (also !== undefined && location.startsWith(also));
  return (
    <Link href={href} className={styles.view} aria-current={isHere ? "page" : undefined}>
      <Icon size={17} aria-hidden="true" />
      <span>{label}</span>
    </Link>
  );
}

function KbChoice({ kb }: { kb: string }) {
  const t = useTexts();
  const [location, navigate] = useLocation();
  const { data } = useQuery(kbsQuery);
  const view = /^\/kb\/[^/]+\/(documents|graph|search)/.exec(location)?.[1] ?? "ask";
  return (
    <Menu
      trigger={
        <button type="button" className={styles.kb}>
          <span>
            <small>{t.shell.kb}</small>
            <bdi>{kb}</bdi>
          </span>
          <ChevronsUpDown size={15} aria-hidden="true" />
        </button>
      }
    >
      <MenuChoice
        label={t.shell.kb}
        value={kb}
        choices={(data ?? [{ name: kb }]).map(({ name }) => ({ value: name, label: name }))}
        onChange={(name) => navigate(`/kb/${name}/${view}`)}
      />
    </Menu>
  );
}

function History({ kb }: { kb: string | null }) {
  const t = useTexts();
  const [location, navigate] = useLocation();
  const conversations = useConversations();
  const summaries = useSummaries();
  if (summaries.length === 0) return <div className={styles.history} />;
  return (
    <nav className={styles.history} aria-label={t.shell.history}>
      <div className={styles.historyHead}>
        <h2>{t.shell.history}</h2>
        <Button
          small
          look="quiet"
          onClick={() => {
            if (!confirm(t.shell.clearHistoryQuestion)) return;
            conversations.removeAll();
            if (kb !== null) navigate(places.ask(kb));
          }}
        >
          {t.shell.clearHistory}
        </Button>
      </div>
      <ul>
        {summaries.map((summary) => {
          const href = places.ask(summary.kb, summary.id);
          return (
            <li key={summary.id} className={styles.entry}>
              <Link href={href} aria-current={location === href ? "page" : undefined} title={summary.title}>
                <bdi>{summary.title}</bdi>
              </Link>
              <IconButton
                icon={Trash2}
                size={15}
                label={t.shell.remove(summary.title)}
                tipSide="end"
                onClick={() => {
                  conversations.remove(summary.id);
                  if (location === href) navigate(places.ask(summary.kb));
                }}
              />
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
