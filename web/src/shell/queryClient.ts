import { QueryClient } from "@tanstack/react-query";

import { isPassing, watchRequests } from "@/api/client";
import { sessionQuery } from "@/session/session";

import { noteReached, onReturn } from "./connection";

const TRIES = 2;

/** What the screen knows of the server. Nothing of it outlives the page, and signing out empties it. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => isPassing(error) && failures < TRIES,
      // Whether there is a network says nothing about a gateway on this machine.
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

watchRequests({
  reached: noteReached,
  signedOut() {
    queryClient.setQueryData(sessionQuery.queryKey, null);
  },
});

// What could not be read while the gateway was away is read again when it is back.
onReturn(() => void queryClient.invalidateQueries());
