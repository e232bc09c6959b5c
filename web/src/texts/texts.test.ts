import { expect, test } from "vitest";

import de from "./de";
import en from "./en";
import { formatsFor } from "./formats";

/** Every text by its path; texts with values are filled with some. */
function flat(texts: object, path = ""): [string, string][] {
  return Object.entries(texts).flatMap(([name, value]: [string, unknown]) => {
    const here = path ? `${path}.${name}` : name;
    if (typeof value === "string") return [[here, value] as [string, string]];
    if (typeof value === "function") {
      const filled = (value as (...values: unknown[]) => string)(2, 3, 4, 5);
      return [[here, filled] as [string, string]];
    }
    return flat(value as object, here);
  });
}

const [english, german] = [new Map(flat(en)), new Map(flat(de))];
/** Words that are the same in both languages. */
const SAME = new Set([
  "graph.title",
  "search.found",
  "admin.name",
  "admin.latency",
  "admin.inUse.atoll",
  "admin.inUse.api",
  "admin.inUse.python",
  "ask.signal",
  "ask.signals.graph",
  "ask.kinds.passage",
  "page.hitOf",
  "session.roles.admin",
  "documents.columns.name",
  "documents.facts.sha256",
]);

test("German says everything that English says", () => {
  expect([...german.keys()]).toEqual([...english.keys()]);
});

test("nothing is left in English", () => {
  const untranslated = [...english].filter(([path, text]) => german.get(path) === text && !SAME.has(path));
  expect(untranslated).toEqual([]);
});

test("no text is empty, and none holds what was meant for a machine", () => {
  for (const [path, text] of [...english, ...german])
    expect(`${path} ${text}`).toMatch(/^\S+ [^\s<>{}][^<>{}]*$/u);
});

test("sizes, shares and times as each language writes them", () => {
  const [british, deutsch] = [formatsFor("en-GB"), formatsFor("de-DE")];
  expect([british.number(12_345), deutsch.number(12_345)]).toEqual(["12,345", "12.345"]);
  expect([british.bytes(1_530_000), deutsch.bytes(1_530_000)]).toEqual(["1.5 MB", "1,5 MB"]);
  expect([british.bytes(0), british.bytes(999), british.bytes(25_000)]).toEqual([
    "0 bytes",
    "999 bytes",
    "25 kB",
  ]);
  expect([british.percent(0.256), british.decimal(0.12345, 3)]).toEqual(["26%", "0.123"]);
  const now = Date.UTC(2024, 2, 1, 12);
  expect(british.ago(now - 3 * 3_600_000, now)).toBe("3 hours ago");
  expect(deutsch.ago(now - 24 * 3_600_000, now)).toBe("gestern");
  expect(british.ago(now - 5000, now)).toBe("now");
});
