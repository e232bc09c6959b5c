import { QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Route, Switch } from "wouter";

import { Problem } from "@/api/problem";
import { Working } from "@/design/Empty";
import { ProblemNotice } from "@/design/Notice";
import { Toasts } from "@/design/Toasts";
import { HistoryProvider } from "@/history";
import { LinkSignIn } from "@/session/Link";
import { onTabNews, sessionQuery, SessionProvider } from "@/session/session";
import { SignIn } from "@/session/SignIn";
import { useTexts } from "@/texts";

import styles from "./App.module.css";
import { Frame } from "./Frame";
import { queryClient } from "./queryClient";
import { Views } from "./Views";

export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <Switch>
        <Route path="/link">
          <LinkSignIn />
        </Route>
        <Route>
          <SignedIn />
        </Route>
      </Switch>
      <Toasts />
    </QueryClientProvider>
  );
}

/** The screen for whoever is signed in, and the way in for whoever is not. The address stays as it is. */
function SignedIn() {
  const t = useTexts();
  const client = useQueryClient();
  const { data: session, error, refetch } = useQuery(sessionQuery);
  // Whether somebody was signed in here before: then the way in says what happened.
  const [wasIn, setWasIn] = useState(false);
  if (session && !wasIn) setWasIn(true);

  useEffect(
    () =>
      onTabNews((news) => {
        if (news === "signed-out") client.setQueryData(sessionQuery.queryKey, null);
        else void client.resetQueries();
      }),
    [client],
  );

  if (session === null) return <SignIn ended={wasIn} />;
  // A suspended tenant, for instance: another key may still be let in.
  if (error instanceof Problem && error.status === 403) return <SignIn ended={false} refused={error} />;
  if (session === undefined) {
    return (
      <main className={styles.alone}>
        {error === null ? (
          <Working label={t.shell.loading} />
        ) : (
          <ProblemNotice error={error} onRetry={() => void refetch()} />
        )}
      </main>
    );
  }
  return (
    <SessionProvider value={session}>
      <HistoryProvider>
        <Frame>
          <Views />
        </Frame>
      </HistoryProvider>
    </SessionProvider>
  );
}
