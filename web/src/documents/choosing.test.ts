import { expect, test } from "vitest";

import { choose, countShown, EVERYTHING, foldersOf } from "./choosing";
import type { Listed } from "./documentList";

function listed(name: string, part: Partial<Listed> = {}): Listed {
  const at = { created_at: "2024-01-01T00:00:00Z", pages: 1, bytes: 10 };
  return { id: name, name, source: null, status: "ready", labels: [], warnings: [], ...at, ...part } as never;
}

const DOCUMENTS = [
  listed("page 10.txt", { source: "north/2024", labels: ["staff"], created_at: "2024-03-01T00:00:00Z" }),
  listed("page 9.txt", { source: "north", status: "failed", bytes: 99 }),
  listed("a.pdf", { source: "northern", status: "processing", pages: 7, read: { older: true } as never }),
  listed("b.pdf", { warnings: [{ type: "x", page: 1, message: "y" }], created_at: "2024-02-01T00:00:00Z" }),
];
const names = (part: object) => choose(DOCUMENTS, { ...EVERYTHING, ...part }).map(({ name }) => name);

test("newest first; names with numbers as people sort them", () => {
  expect(names({})).toEqual(["page 10.txt", "b.pdf", "a.pdf", "page 9.txt"]);
  expect(names({ column: "name", descending: false })).toEqual([
    "a.pdf",
    "b.pdf",
    "page 9.txt",
    "page 10.txt",
  ]);
  expect(names({ column: "bytes" })[0]).toBe("page 9.txt");
});

test("a folder holds what lies in it and below, and nothing beside it", () => {
  expect(names({ folder: "north" })).toEqual(["page 10.txt", "page 9.txt"]);
});

test("all words must be in name, folder or labels", () => {
  expect(names({ text: "PAGE staff" })).toEqual(["page 10.txt"]);
  expect(names({ text: "north 9" })).toEqual(["page 9.txt"]);
});

test("groups of states and their counts", () => {
  const counts = { all: 4, ready: 2, waiting: 1, failed: 1, warned: 1, older: 1 };
  expect(countShown(DOCUMENTS)).toEqual(counts);
  expect(names({ shown: "older" })).toEqual(["a.pdf"]);
  expect(names({ shown: "waiting" })).toEqual(["a.pdf"]);
  expect(names({ shown: "warned" })).toEqual(["b.pdf"]);
});

test("the tree of folders, counted with what lies below", () => {
  expect(foldersOf(DOCUMENTS)).toEqual([
    {
      path: "north",
      name: "north",
      count: 2,
      folders: [{ path: "north/2024", name: "2024", count: 1, folders: [] }],
    },
    { path: "northern", name: "northern", count: 1, folders: [] },
  ]);
  expect(foldersOf([])).toEqual([]);
});
