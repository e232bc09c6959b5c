/** What a link to a page says besides: the marked passage, and how its document is found once it was replaced. */
export interface Mark {
  passage: string | null;
  name?: string;
  source?: string | null;
}

/** Addresses within the screen. They can be kept and passed on; none holds a key. */
export const places = {
  ask: (kb: string, conversation?: string) => `/kb/${kb}/ask${conversation ? `/${conversation}` : ""}`,
  admin: (section: string) => `/admin/${section}`,
  search: (kb: string) => `/kb/${kb}/search`,
  graph: (kb: string, entity?: string) => `/kb/${kb}/graph${entity ? `/${encodeURIComponent(entity)}` : ""}`,
  documents: (kb: string) => `/kb/${kb}/documents`,
  document: (kb: string, id: string) => `/kb/${kb}/doc/${encodeURIComponent(id)}`,
  page(kb: string, id: string, page: number, mark?: Mark) {
    const query = new URLSearchParams();
    if (mark?.passage) query.set("mark", mark.passage);
    // With name and folder, a link to a document that was replaced still finds the version that is there now.
    if (mark?.name) query.set("name", mark.name);
    if (mark?.source) query.set("source", mark.source);
    return `/kb/${kb}/doc/${encodeURIComponent(id)}/p/${page}${query.size > 0 ? `?${query}` : ""}`;
  },
};

const LAST_KB = "atoll.kb";

export function rememberKb(kb: string): void {
  localStorage.setItem(LAST_KB, kb);
}

/** A knowledge base that is gone is not gone to again. */
export function forgetKb(kb: string): void {
  if (rememberedKb() === kb) localStorage.removeItem(LAST_KB);
}

export function rememberedKb(): string | null {
  return localStorage.getItem(LAST_KB);
}
