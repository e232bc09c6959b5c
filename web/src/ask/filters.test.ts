import { expect, test } from "vitest";

import { newTurn } from "./answer";
import { contextOf } from "./asking";
import { hintsOf } from "./filterHints";
import { countFilters, describe, listOf, NO_FILTERS, scalarOf, toApi } from "./filters";

test("nothing chosen sends nothing", () => {
  expect(toApi(NO_FILTERS)).toBeUndefined();
  expect(countFilters(NO_FILTERS)).toBe(0);
});

test("a folder means what lies below it, a pattern means itself", () => {
  expect(toApi({ ...NO_FILTERS, sources: ["north/2024/", "*.pdf"] })).toEqual({
    sources: ["north/2024", "north/2024/*", "*.pdf"],
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

test("every filter stands in words, with what is left without it", () => {
  const words = { names: "Names", folders: "Folder", labels: "Label", addedFrom: "from", addedTo: "to" };
  const comparisons = { is: "is", from: "at least", to: "at most" };
  const metadata = [{ key: "year", comparison: "from", value: "2020" }] as const;
  const chosen = { ...NO_FILTERS, sources: ["a", "b"], after: "2024-03-01", metadata: [...metadata] };
  const found = describe(chosen, { ...words, ...comparisons }, (day) => day);
  expect(found.map((each) => each.words)).toEqual([
    "Folder: a",
    "Folder: b",
    "from 2024-03-01",
    "year at least 2020",
  ]);
  expect(found[0]?.without).toEqual({ ...chosen, sources: ["b"] });
  expect(found[3]?.without.metadata).toEqual([]);
});

test("labels, folders and fields are offered, the most frequent first", () => {
  const document = (source: string | null, labels: string[]) => ({ source, labels, metadata: { year: 1 } });
  const found = hintsOf([
    document("b", ["x"]),
    document("a", ["y"]),
    document("a", ["y"]),
    document(null, []),
  ]);
  expect(found).toEqual({ labels: ["y", "x"], folders: ["a", "b"], fields: ["year"] });
});

test("a question follows up what was asked since the last one that stood on its own", () => {
  const wishes = { mode: "mix", answer: "auto", filters: NO_FILTERS } as const;
  const turns = (
    [
      ["a", false],
      ["b", true],
      ["c", false],
      ["d", true],
    ] as const
  ).map(([question, follows]) => newTurn(question, wishes, follows));
  expect(contextOf(turns).map(({ question }) => question)).toEqual(["c", "d"]);
  expect(contextOf([])).toEqual([]);
});
