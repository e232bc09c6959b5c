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
  if (chosen.sources.length > 0) filters.sources = chosen.sources.map(asPattern);
  if (chosen.labels.length > 0) filters.labels = chosen.labels;
  if (chosen.documents.length > 0) filters.document_ids = chosen.documents.map(({ id }) => id);
  if (chosen.after) filters.created_after = new Date(`${chosen.after}T00:00:00`).toISOString();
  if (chosen.before) filters.created_before = new Date(`${chosen.before}T23:59:59.999`).toISOString();
  const metadata = metadataFilters(chosen.metadata);
  if (metadata !== undefined) filters.metadata = metadata;
  return Object.keys(filters).length > 0 ? filters : undefined;
}

/** A folder means everything below it too. */
function asPattern(folder: string): string {
  return /[*?[]/.test(folder) ? folder : `${folder.replace(/\/+$/, "")}*`;
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

export function listOf(text: string): string[] {
  return [
    ...new Set(
      text
        .split(",")
        .map((each) => each.trim())
        .filter(Boolean),
    ),
  ];
}
