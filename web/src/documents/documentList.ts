import { call } from "@/api/client";
import type { DocumentOut, DocumentsOut, Status } from "@/api/schema";

import { isReadAgain } from "./standing";

/** A document as the list shows it; a document whose journey is over needs no stages here. */
export type Listed = Omit<DocumentOut, "sha256" | "metadata">;

export interface ListState {
  documents: readonly Listed[];
  /** Whether all that the key sees has been read. */
  complete: boolean;
  error: unknown;
}

const PAGE = 500;
/** More than this is not listed as a whole; a name narrows it down. */
export const MOST_DOCUMENTS = 50_000;
/** Changes are shown together, a few times a second, however many come. */
const TOGETHER_MILLISECONDS = 200;
const OVER = new Set<Status>(["ready", "cancelled"]);

/** Every document of a knowledge base: read page by page, kept up to date by events. */
export class DocumentList {
  readonly #kb: string;
  readonly #documents = new Map<string, Listed>();
  readonly #listeners = new Set<() => void>();
  #state: ListState = { documents: [], complete: false, error: null };
  #reading: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Documents that were deleted while a page that may still hold them was on its way. */
  #gone = new Set<string>();

  constructor(kb: string) {
    this.#kb = kb;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): ListState => this.#state;

  /** Reads everything anew. What is shown stays until then, less what is not there any more. */
  async read(): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    this.#gone = new Set();
    const seen = new Set<string>();
    try {
      let cursor: string | null = null;
      do {
        const query = { limit: PAGE, ...(cursor === null ? {} : { cursor }) };
        const page: DocumentsOut = await call("list_documents", {
          path: { kb: this.#kb },
          query,
          signal: reading.signal,
        });
        for (const document of page.documents) {
          seen.add(document.id);
          if (!this.#gone.has(document.id)) this.#put(document);
        }
        this.#show({ error: null });
        cursor = page.next_cursor;
      } while (cursor !== null && this.#documents.size < MOST_DOCUMENTS);
      for (const id of this.#documents.keys()) if (!seen.has(id)) this.#documents.delete(id);
      this.#show({ complete: cursor === null });
    } catch (error) {
      if (!reading.signal.aborted) this.#show({ error });
    }
  }

  /** Notes that a document came, or that it changed. */
  note(document: Omit<DocumentOut, "metadata">): void {
    if (this.#gone.has(document.id)) return;
    this.#put(document);
    this.#showSoon();
  }

  /** Notes that a document is gone. */
  remove(id: string): void {
    this.#gone.add(id);
    if (this.#documents.delete(id)) this.#showSoon();
  }

  stop(): void {
    this.#reading?.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #put(document: Omit<DocumentOut, "metadata">): void {
    const isOver = OVER.has(document.status) && !isReadAgain(document);
    this.#documents.set(document.id, isOver ? { ...document, stages: [] } : document);
  }

  #showSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#show({});
    }, TOGETHER_MILLISECONDS);
  }

  #show(part: Partial<ListState>): void {
    this.#state = { ...this.#state, ...part, documents: [...this.#documents.values()] };
    for (const listener of this.#listeners) listener();
  }
}
