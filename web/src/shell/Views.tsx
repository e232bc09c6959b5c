import { useQuery } from "@tanstack/react-query";
import { Compass } from "lucide-react";
import { lazy, Suspense, useEffect } from "react";
import { Link, Redirect, Route, Switch } from "wouter";

import { AskPage } from "@/ask/AskPage";
import { Empty, Skeleton } from "@/design/Empty";
import { ProblemNotice } from "@/design/Notice";
import { may, useSession } from "@/session/session";
import { useTexts } from "@/texts";

import { kbsQuery } from "./kbs";
import { places, rememberedKb, rememberKb } from "./places";
import styles from "./Views.module.css";

const DocumentsPage = lazy(async () => ({
  default: (await import("@/documents/DocumentsPage")).DocumentsPage,
}));
const AdminPage = lazy(async () => ({ default: (await import("@/admin/AdminPage")).AdminPage }));
const GraphPage = lazy(async () => ({ default: (await import("@/graph/GraphPage")).GraphPage }));
const SearchPage = lazy(async () => ({ default: (await import("@/search/SearchPage")).SearchPage }));
const DocumentPage = lazy(async () => ({ default: (await import("@/documents/DocumentPage")).DocumentPage }));

/** Which view an address means. */
export function Views() {
  const t = useTexts();
  return (
    <Suspense
      fallback={
        <div className={styles.waiting}>
          <Skeleton lines={5} label={t.shell.loading} />
        </div>
      }
    >
      <Switch>
        <Route path="/">
          <Home />
        </Route>
        <Route path="/kb/:kb/ask/:id?">
          {({ kb, id }) => (
            <InKb kb={kb}>
              <AskPage key={kb} kb={kb} id={id ?? null} />
            </InKb>
          )}
        </Route>
        <Route path="/kb/:kb/documents">
          {({ kb }) => (
            <InKb kb={kb}>
              <DocumentsPage key={kb} kb={kb} />
            </InKb>
          )}
        </Route>
        <Route path="/kb/:kb/search">
          {({ kb }) => (
            <InKb kb={kb}>
              <SearchPage key={kb} kb={kb} />
            </InKb>
          )}
        </Route>
        <Route path="/kb/:kb/graph/:entity?">
          {({ kb, entity }) => (
            <InKb kb={kb}>
              <GraphPage key={kb} kb={kb} entity={entity === undefined ? null : decodeURIComponent(entity)} />
            </InKb>
          )}
        </Route>
        <Route path="/kb/:kb/doc/:id/p/:page">
          {({ kb, id, page }) => (
            <InKb kb={kb}>
              <DocumentPage key={id} kb={kb} id={decodeURIComponent(id)} page={Number(page) || 1} />
            </InKb>
          )}
        </Route>
        <Route path="/kb/:kb/doc/:id">
          {({ kb, id }) => (
            <InKb kb={kb}>
              <DocumentPage key={id} kb={kb} id={decodeURIComponent(id)} page={1} />
            </InKb>
          )}
        </Route>
        <Route path="/admin/:section?">{({ section }) => <AdminPage section={section ?? null} />}</Route>
        <Route>
          <Empty icon={Compass} title={t.shell.nowhere} actions={<Link href="/">{t.shell.toStart}</Link>} />
        </Route>
      </Switch>
    </Suspense>
  );
}

/** The start: the knowledge base that was used last, else the first. */
function Home() {
  const t = useTexts();
  const session = useSession();
  const { data, error, refetch } = useQuery({ ...kbsQuery, enabled: may(session, "read") });
  if (!may(session, "read")) return <Redirect to="/admin" replace />;
  if (error !== null) return <ProblemNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return null;
  const known = data.find(({ name }) => name === rememberedKb()) ?? data[0];
  if (known === undefined) return <Empty icon={Compass} title={t.shell.noKb} />;
  return <Redirect to={places.ask(known.name)} replace />;
}

function InKb({ kb, children }: { kb: string; children: React.ReactNode }) {
  useEffect(() => rememberKb(kb), [kb]);
  return children;
}
