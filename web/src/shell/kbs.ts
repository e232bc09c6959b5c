import { queryOptions } from "@tanstack/react-query";

import { call } from "@/api/client";
import type { KbOut } from "@/api/schema";

const MOST = 500;

/** The knowledge bases that the key names. */
export const kbsQuery = queryOptions({
  queryKey: ["kbs"],
  async queryFn({ signal }): Promise<KbOut[]> {
    return (await call("list_kbs", { query: { limit: MOST }, signal })).kbs;
  },
  staleTime: 30_000,
});
