import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";

import { call } from "@/api/client";
import { Problem } from "@/api/problem";
import type { Role, SessionOut } from "@/api/schema";

export type Session = SessionOut;

/** What a role may do, as the gateway decides it; the screen only leaves out what would be refused. */
const ALLOWED = {
  owner: ["read", "write", "kbs", "keys", "audit", "usage", "observe", "system"],
  editor: ["read", "write"],
  reader: ["read"],
  auditor: ["audit", "usage", "observe"],
  admin: ["tenants", "observe", "system"],
} as const satisfies Record<Role, readonly string[]>;

export type Right = (typeof ALLOWED)[Role][number];

export function may(session: Session, right: Right): boolean {
  const rights: readonly Right[] = ALLOWED[session.role];
  const whole = session.kbs === "*" && session.labels === "*";
  // The trail and the usage count what a restricted key does not see.
  if (right === "usage" && session.labels !== "*") return false;
  return rights.includes(right) && (right !== "audit" || whole);
}

/** Whether there is anything in the administration that the session may see. */
export function administers(session: Session): boolean {
  return (["kbs", "keys", "audit", "observe", "tenants"] as const).some((right) => may(session, right));
}

/** Set where somebody signed in: a browser in which nobody did need not ask, and be refused, before it shows the way in. */
const SIGNED_IN = "atoll.signed-in";

/** Who is signed in here: the gateway knows by the session's cookie, which scripts cannot read. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  async queryFn({ signal }): Promise<Session | null> {
    if (localStorage.getItem(SIGNED_IN) === null) return null;
    try {
      return await call("get_session", { signal });
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      throw error;
    }
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
    localStorage.setItem(SIGNED_IN, "1");
    tellTabs("signed-in");
  };
  return {
    async byKey(key: string) {
      accept(await call("open_session", { body: { key } }));
    },
    async byLink(link: string) {
      accept(await call("open_session", { body: { link } }));
    },
    async end() {
      await call("close_session", {});
      client.setQueryData(sessionQuery.queryKey, null);
      localStorage.removeItem(SIGNED_IN);
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
