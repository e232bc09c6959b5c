import { queryOptions } from "@tanstack/react-query";

import { call } from "@/api/client";
import type { DocumentOut } from "@/api/schema";

/** Labels, folders and fields of metadata that documents have, the most frequent first. */
export interface Hints {
  labels: string[];
  folders: string[];
  fields: string[];
}

const LOOKED_AT = 500;
const MOST_OFFERED = 8;
const MOST_FIELDS = 50;

/** What the newest documents of a knowledge base can be told apart by. */
export const hintsQuery = (kb: string) =>
  queryOptions({
    queryKey: ["filter-hints", kb],
    async queryFn({ signal }): Promise<Hints> {
      const query = { status: "ready" as const, limit: LOOKED_AT };
      return hintsOf((await call("list_documents", { path: { kb }, query, signal })).documents);
    },
    staleTime: 60_000,
  });

export function hintsOf(documents: readonly Pick<DocumentOut, "labels" | "source" | "metadata">[]): Hints {
  return {
    labels: frequent(documents.flatMap(({ labels }) => labels)).slice(0, MOST_OFFERED),
    folders: frequent(documents.flatMap(({ source }) => (source ? [source] : []))).slice(0, MOST_OFFERED),
    fields: frequent(documents.flatMap(({ metadata }) => Object.keys(metadata))).slice(0, MOST_FIELDS),
  };
}

function frequent(words: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].toSorted(([, one], [, other]) => other - one).map(([word]) => word);
}
