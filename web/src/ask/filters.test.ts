import { expect, test } from "vitest";

import { countFilters, listOf, NO_FILTERS, scalarOf, toApi } from "./filters";

test("nothing chosen sends nothing", () => {
  expect(toApi(NO_FILTERS)).toBeUndefined();
  expect(countFilters(NO_FILTERS)).toBe(0);
});

test("a folder means what lies below it, a pattern means itself", () => {
  expect(toApi({ ...NO_FILTERS, sources: ["north/2024/", "*.pdf"] })).toEqual({
    sources: ["north/2024*", "*.pdf"],
  });
});

test("a day lasts from its first to its last moment, here", () => {
  const filters = toApi({ ...NO_FILTERS, after: "2024-03-01", before: "2024-03-01" });
  const [from, to] = [filters?.created_after, filters?.created_before].map((time) => new Date(time ?? ""));
  expect((to?.getTime() ?? 0) - (from?.getTime() ?? 0)).toBe(86_400_000 - 1);
});

test("metadata: equal, and bounds of one range", () => {
  const metadata = [
    { key: "year", comparison: "from", value: "2020" },
    { key: "year", comparison: "to", value: "2024" },
    { key: "public", comparison: "is", value: "true" },
    { key: "", comparison: "is", value: "x" },
  ] as const;
  const chosen = { ...NO_FILTERS, metadata: [...metadata] };
  expect(toApi(chosen)).toEqual({ metadata: { year: { gte: 2020, lte: 2024 }, public: true } });
  expect(countFilters(chosen)).toBe(1);
});

test("words of a list, each once, and values as uploads have them", () => {
  expect(listOf(" staff, board ,,staff")).toEqual(["staff", "board"]);
  expect(["7", "-1.5", "true", "7a", " "].map(scalarOf)).toEqual([7, -1.5, true, "7a", " "]);
});
