import type { FiltersIn } from "@/api/schema";

/** One condition on metadata as a person writes it. */
export interface MetadataFilter {
  key: string;
  comparison: "is" | "from" | "to";
  value: string;
}

/** What a search is narrowed to, as it stands in the form; nothing chosen means everything. */
export interface FilterChoice {
  names: string[];
  sources: string[];
  labels: string[];
  documents: { id: string; name: string }[];
  after: string;
  before: string;
  metadata: MetadataFilter[];
}

export const NO_FILTERS: FilterChoice = {
  names: [],
  sources: [],
  labels: [],
  documents: [],
  after: "",
  before: "",
  metadata: [],
};

export function countFilters(chosen: FilterChoice): number {
  const { names, sources, labels, documents, after, before, metadata } = chosen;
  const lists = [names, sources, labels, documents, metadata];
  return lists.filter((list) => list.length > 0).length + (after || before ? 1 : 0);
}

/** The filters in the API's form, or undefined for none. Days are those of the person's own time zone. */
export function toApi(chosen: FilterChoice): FiltersIn | undefined {
  const filters: FiltersIn = {};
  if (chosen.names.length > 0) filters.names = chosen.names;
  if (chosen.sources.length > 0) filters.sources = chosen.sources.flatMap(asPatterns);
  if (chosen.labels.length > 0) filters.labels = chosen.labels;
  if (chosen.documents.length > 0) filters.document_ids = chosen.documents.map(({ id }) => id);
  if (chosen.after) filters.created_after = new Date(`${chosen.after}T00:00:00`).toISOString();
  if (chosen.before) filters.created_before = new Date(`${chosen.before}T23:59:59.999`).toISOString();
  const metadata = metadataFilters(chosen.metadata);
  if (metadata !== undefined) filters.metadata = metadata;
  return Object.keys(filters).length > 0 ? filters : undefined;
}

/** A folder means everything below it too. */
function asPatterns(folder: string): string[] {
  if (/[*?[]/.test(folder)) return [folder];
  const path = folder.replace(/\/+$/, "");
  return [path, `${path}/*`];
}

/** A filter in words, and what is left of the choice without it. */
export interface Described {
  key: string;
  words: string;
  without: FilterChoice;
}

interface FilterWords {
  names: string;
  folders: string;
  labels: string;
  addedFrom: string;
  addedTo: string;
  is: string;
  from: string;
  to: string;
}

/** Everything that is chosen, each with a way to take it back. */
export function describe(chosen: FilterChoice, t: FilterWords, day: (date: string) => string): Described[] {
  const drop = <K extends keyof FilterChoice>(part: K, value: FilterChoice[K]) => ({
    ...chosen,
    [part]: value,
  });
  const list = (part: "names" | "sources" | "labels", name: string) =>
    chosen[part].map((each) => ({
      key: `${part} ${each}`,
      words: `${name}: ${each}`,
      without: drop(
        part,
        chosen[part].filter((other) => other !== each),
      ),
    }));
  const comparisons = { is: t.is, from: t.from, to: t.to };
  return [
    ...chosen.documents.map(({ id, name }) => ({
      key: `document ${id}`,
      words: name,
      without: drop(
        "documents",
        chosen.documents.filter((each) => each.id !== id),
      ),
    })),
    ...list("names", t.names),
    ...list("sources", t.folders),
    ...list("labels", t.labels),
    ...(chosen.after
      ? [{ key: "after", words: `${t.addedFrom} ${day(chosen.after)}`, without: drop("after", "") }]
      : []),
    ...(chosen.before
      ? [{ key: "before", words: `${t.addedTo} ${day(chosen.before)}`, without: drop("before", "") }]
      : []),
    ...chosen.metadata
      .filter(({ key, value }) => key !== "" && value !== "")
      .map((each) => ({
        key: `metadata ${each.key} ${each.comparison}`,
        words: `${each.key} ${comparisons[each.comparison]} ${each.value}`,
        without: drop(
          "metadata",
          chosen.metadata.filter((other) => other !== each),
        ),
      })),
  ];
}

function metadataFilters(chosen: MetadataFilter[]): FiltersIn["metadata"] | undefined {
  const found: NonNullable<FiltersIn["metadata"]> = {};
  for (const { key, comparison, value } of chosen) {
    if (key === "" || value === "") continue;
    const wanted = scalarOf(value);
    const before = found[key];
    if (comparison === "is") found[key] = wanted;
    else {
      const range = typeof before === "object" && !Array.isArray(before) ? before : {};
      found[key] = { ...range, [comparison === "from" ? "gte" : "lte"]: wanted };
    }
  }
  return Object.keys(found).length > 0 ? found : undefined;
}

/** `2024` is a number and `true` a truth value, as they are in the metadata of an upload. */
export function scalarOf(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return text.trim() !== "" && /^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : text;
}

export function listOf(text: string, separator = ","): string[] {
  return [
    ...new Set(
      text
        .split(separator)
        .map((each) => each.trim())
        .filter(Boolean),
    ),
  ];
}
