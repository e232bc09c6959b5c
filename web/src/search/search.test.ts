import { expect, test } from "vitest";

import type { Evidence } from "@/ask/answer";

import { elsewhere } from "./compare";
import { asCurl } from "./curl";

test("a command keeps quotes and brings no key", () => {
  const command = asCurl("http://atoll:8000/v1/kbs/default/search", { query: "what's new?", mode: "mix" });
  expect(command).toContain(String.raw`-d '{"query":"what'\''s new?","mode":"mix"}'`);
  expect(command).toContain("Bearer $ATOLL_API_KEY");
});

test("the same passage is found again in other columns, a page by its number", () => {
  const piece = (rank: number, passage_id: string | null, page = 1) =>
    ({
      kind: passage_id === null ? "page" : "passage",
      document_id: "d",
      passage_id,
      page,
      rank,
    }) as Evidence;
  const all = [
    { mode: "mix" as const, evidence: [piece(1, "a"), piece(2, null, 4)] },
    { mode: "naive" as const, evidence: [piece(1, "b"), piece(2, "a")] },
    { mode: "visual" as const, evidence: [piece(1, null, 4)] },
  ];
  expect(elsewhere(piece(1, "a"), "mix", all)).toEqual([{ mode: "naive", rank: 2 }]);
  expect(elsewhere(piece(2, null, 4), "mix", all)).toEqual([{ mode: "visual", rank: 1 }]);
  expect(elsewhere(piece(1, "b"), "naive", all)).toEqual([]);
});
