import type { Quota } from "@/api/schema";

const MEGABYTE = 1e6;

/** Limits as a form holds them; empty means none. */
export interface QuotaText {
  documents: string;
  megabytes: string;
  queries: string;
}

export function quotaText(quota: Record<string, number>): QuotaText {
  const { documents, bytes, queries_per_day: queries } = quota;
  return {
    documents: String(documents ?? ""),
    megabytes: bytes === undefined ? "" : String(bytes / MEGABYTE),
    queries: String(queries ?? ""),
  };
}

export function quotaOf({ documents, megabytes, queries }: QuotaText): Quota {
  return {
    ...(documents === "" ? {} : { documents: Number(documents) }),
    ...(megabytes === "" ? {} : { bytes: Math.round(Number(megabytes) * MEGABYTE) }),
    ...(queries === "" ? {} : { queries_per_day: Number(queries) }),
  };
}
