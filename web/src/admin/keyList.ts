import { infiniteQueryOptions } from "@tanstack/react-query";

import { call } from "@/api/client";

const AT_ONCE = 200;

/** The keys of the tenant that the caller may see, a page at a time, oldest first. */
export const keyList = infiniteQueryOptions({
  queryKey: ["keys"],
  queryFn: ({ pageParam, signal }) =>
    call("list_keys", { query: { limit: AT_ONCE, cursor: pageParam }, signal }),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next_cursor,
});
