import type { Status } from "@/api/schema";

import type { Listed } from "./documentList";

export type Column = "name" | "status" | "pages" | "bytes" | "created_at";
export type Shown = "all" | "ready" | "waiting" | "failed" | "warned" | "older";

/** Which documents are shown, in which order. */
export interface Choice {
  text: string;
  shown: Shown;
  folder: string | null;
  column: Column;
  descending: boolean;
}

export const EVERYTHING: Choice = {
  text: "",
  shown: "all",
  folder: null,
  column: "created_at",
  descending: true,
};

const GROUPS: Record<Status, Exclude<Shown, "all" | "warned" | "older">> = {
  queued: "waiting",
  processing: "waiting",
  ready: "ready",
  failed: "failed",
  quarantined: "failed",
  cancelled: "failed",
};

export function choose(documents: readonly Listed[], choice: Choice): Listed[] {
  const words = choice.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = documents.filter(
    (document) =>
      isShown(document, choice.shown) && isIn(document.source, choice.folder) && hasWords(document, words),
  );
  const sign = choice.descending ? -1 : 1;
  return found.toSorted((one, other) => sign * compare(one, other, choice.column) || nameOrder(one, other));
}

function isShown(document: Listed, shown: Shown): boolean {
  if (shown === "all") return true;
  if (shown === "older") return document.read?.older ?? false;
  return shown === "warned" ? document.warnings.length > 0 : GROUPS[document.status] === shown;
}

function isIn(source: string | null, folder: string | null): boolean {
  return folder === null || source === folder || (source?.startsWith(`${folder}/`) ?? false);
}

function hasWords({ name, source, labels }: Listed, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = `${source ?? ""}/${name} ${labels.join(" ")}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

const names = new Intl.Collator(undefined, { numeric: true });

function compare(one: Listed, other: Listed, column: Column): number {
  if (column === "name") return nameOrder(one, other);
  const [a, b] = [one[column], other[column]];
  return a < b ? -1 : a > b ? 1 : 0;
}

function nameOrder(one: Listed, other: Listed): number {
  return names.compare(one.name, other.name);
}

export function countShown(documents: readonly Listed[]): Record<Shown, number> {
  const counts = { all: documents.length, ready: 0, waiting: 0, failed: 0, warned: 0, older: 0 };
  for (const { status, warnings, read } of documents) {
    counts[GROUPS[status]] += 1;
    if (warnings.length > 0) counts.warned += 1;
    if (read?.older) counts.older += 1;
  }
  return counts;
}

/** A folder of the sources of documents, with how many documents lie in it and below. */
export interface Folder {
  path: string;
  name: string;
  count: number;
  folders: Folder[];
}

/** The tree of folders that the documents came from. */
export function foldersOf(documents: readonly Listed[]): Folder[] {
  const root: Folder = { path: "", name: "", count: 0, folders: [] };
  const byPath = new Map([["", root]]);
  const folderAt = (path: string): Folder => {
    const known = byPath.get(path);
    if (known !== undefined) return known;
    const at = path.lastIndexOf("/");
    const folder: Folder = { path, name: path.slice(at + 1), count: 0, folders: [] };
    byPath.set(path, folder);
    folderAt(at < 0 ? "" : path.slice(0, at)).folders.push(folder);
    return folder;
  };
  for (const { source } of documents) {
    if (!source) continue;
    folderAt(source);
    for (let path = source; path !== ""; path = path.slice(0, Math.max(0, path.lastIndexOf("/")))) {
      folderAt(path).count += 1;
    }
  }
  for (const folder of byPath.values())
    folder.folders.sort((one, other) => names.compare(one.name, other.name));
  return root.folders;
}
