import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useSyncExternalStore } from "react";

import { DocumentList, type ListState } from "./documentList";
import { watch } from "./watching";

/** The documents of a knowledge base as they are now. The list lives as long as a view shows it. */
export function useDocuments(kb: string): { state: ListState; list: DocumentList } {
  const client = useQueryClient();
  const list = useMemo(() => new DocumentList(kb), [kb]);
  const state = useSyncExternalStore(list.subscribe, list.state);
  useEffect(() => {
    const ending = new AbortController();
    void list.read();
    const heard = {
      document: (document: Parameters<DocumentList["note"]>[0]) => {
        list.note(document);
        // What a view of this one document shows is older now.
        void client.invalidateQueries({ queryKey: ["document", kb, document.id] });
      },
      deleted: (id: string) => list.remove(id),
      resumed: () => void list.read(),
    };
    void watch(kb, heard, ending.signal);
    return () => {
      ending.abort();
      list.stop();
    };
  }, [client, kb, list]);
  return { state, list };
}
