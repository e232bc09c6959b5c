import { createContext, type ReactNode, useContext, useMemo, useSyncExternalStore } from "react";

import { useSession } from "@/session/session";

import { type Conversation, Conversations, type Summary } from "./conversations";

const Context = createContext<Conversations | null>(null);

/** The history of whoever is signed in. */
export function HistoryProvider({ children }: { children: ReactNode }) {
  const { key_id: owner } = useSession();
  const conversations = useMemo(() => new Conversations(localStorage, owner), [owner]);
  return <Context value={conversations}>{children}</Context>;
}

export function useConversations(): Conversations {
  const conversations = useContext(Context);
  if (conversations === null) throw new Error("history is used outside of HistoryProvider");
  return conversations;
}

export function useSummaries(): readonly Summary[] {
  const conversations = useConversations();
  return useSyncExternalStore(conversations.subscribe, conversations.list);
}

export function useConversation(id: string | null): Conversation | null {
  const conversations = useConversations();
  return useSyncExternalStore(conversations.subscribe, () => (id === null ? null : conversations.get(id)));
}
