import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";

import { call, send } from "@/api/client";
import { Problem } from "@/api/problem";
import type { Role, SessionOut } from "@/api/schema";

export type Session = SessionOut;

/** What a role may do, as the gateway decides it; the screen only leaves out what would be refused. */
const ALLOWED = {
  owner: ["read", "write", "kbs", "keys", "audit", "observe"],
  editor: ["read", "write"],
  reader: ["read"],
  auditor: ["audit", "observe"],
  admin: ["tenants", "observe"],
} as const satisfies Record<Role, readonly string[]>;

export type Right = (typeof ALLOWED)[Role][number];

export function may(session: Session, right: Right): boolean {
  const rights: readonly Right[] = ALLOWED[session.role];
  const whole = session.kbs === "*" && session.labels === "*";
  return rights.includes(right) && (right !== "audit" || whole);
}

const KEPT = "atoll.session";

/** Who signed in here, as long as the session's cookie is good; scripts cannot read the cookie itself. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  async queryFn({ signal }): Promise<Session | null> {
    const kept = localStorage.getItem(KEPT);
    if (kept === null) return null;
    try {
      await call("list_kbs", { query: { limit: 1 }, signal });
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      // A role that reads nothing is refused, and so known.
      if (!(error instanceof Problem && error.status === 403)) throw error;
    }
    return JSON.parse(kept) as Session;
  },
  staleTime: Number.POSITIVE_INFINITY,
});

const SessionContext = createContext<Session | null>(null);

/** Gives its children the session. They keep it until they are gone, also in the moment in which it ends. */
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("a view of a signed-in person is shown to nobody");
  return session;
}

/** Opens and ends sessions; other tabs of this browser follow. */
export function useSigning() {
  const client = useQueryClient();
  const accept = (session: Session) => {
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
    client.setQueryData(sessionQuery.queryKey, session);
    localStorage.setItem(KEPT, JSON.stringify(session));
    tellTabs("signed-in");
  };
  return {
    async byKey(key: string) {
      accept(await call("open_session", { body: { key } }));
    },
    async byLink(link: string) {
      const headers = { "Content-Type": "application/json" };
      const answer = await send("/v1/session", { method: "POST", headers, body: JSON.stringify({ link }) });
      accept((await answer.json()) as Session);
    },
    async end() {
      await call("close_session", {});
      client.setQueryData(sessionQuery.queryKey, null);
      localStorage.removeItem(KEPT);
      sessionStorage.clear();
      tellTabs("signed-out");
    },
  };
}

type TabNews = "signed-in" | "signed-out";

const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("atoll.session");

function tellTabs(news: TabNews): void {
  tabs?.postMessage(news);
}

/** Calls back when another tab signs in or out. */
export function onTabNews(listener: (news: TabNews) => void): () => void {
  const heard = (event: MessageEvent<TabNews>) => listener(event.data);
  tabs?.addEventListener("message", heard);
  return () => tabs?.removeEventListener("message", heard);
}
