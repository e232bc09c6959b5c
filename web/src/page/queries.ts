import { queryOptions } from "@tanstack/react-query";

import { addressOf, call } from "@/api/client";
import type { PassageOut } from "@/api/schema";

export function pageQuery(kb: string, document: string, page: number) {
  return queryOptions({
    queryKey: ["page", kb, document, page],
    queryFn: ({ signal }) => call("get_page", { path: { kb, document, page }, signal }),
    staleTime: 60_000,
  });
}

export function documentQuery(kb: string, document: string) {
  return queryOptions({
    queryKey: ["document", kb, document],
    queryFn: ({ signal }) => call("get_document", { path: { kb, document }, signal }),
  });
}

/** The address of a page's picture; the screen lays its marks over it. */
export function imageOf(kb: string, document: string, page: number, dpi: number): string {
  return addressOf("draw_page", { kb, document, page }, { dpi });
}

const SOME = 100;

/** The passages of one page. They are listed by their place in the document, so their beginning is searched for. */
export function passagesQuery(kb: string, document: string, page: number, total: number) {
  const list = (after: number, limit: number, signal: AbortSignal) =>
    call("list_passages", {
      path: { kb, document },
      query: { limit, ...(after < 0 ? {} : { cursor: String(after) }) },
      signal,
    });
  return queryOptions({
    queryKey: ["passages", kb, document, page],
    async queryFn({ signal }): Promise<PassageOut[]> {
      let [low, high] = [0, total];
      while (high - low > SOME / 2) {
        const middle = Math.floor((low + high) / 2);
        const [found] = (await list(middle - 1, 1, signal)).passages;
        if (found !== undefined && found.page < page) low = middle;
        else high = middle;
      }
      const found: PassageOut[] = [];
      for (let after: number | null = low - 1; after !== null;) {
        const { passages, next_cursor } = await list(after, SOME, signal);
        found.push(...passages.filter((passage) => passage.page === page));
        const isPast = passages.some((passage) => passage.page > page);
        after = next_cursor === null || isPast ? null : Number(next_cursor);
      }
      return found;
    },
    staleTime: 60_000,
  });
}
