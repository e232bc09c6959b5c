import { request } from "@/api/client";
import { eventsOf } from "@/api/events";
import { Problem } from "@/api/problem";
import type { DocumentOut } from "@/api/schema";

export type DocumentState = Omit<DocumentOut, "metadata">;

export interface Heard {
  document: (state: DocumentState) => void;
  deleted: (id: string) => void;
  /** The stream begins anew after a break: something may have been missed. */
  resumed: () => void;
}

const SOONEST_MILLISECONDS = 500;
const LATEST_MILLISECONDS = 10_000;

/** Follows the changes of a knowledge base until the signal says stop; after a break it goes on by itself. */
export async function watch(kb: string, heard: Heard, signal: AbortSignal): Promise<void> {
  let pause = SOONEST_MILLISECONDS;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    if (!isFirst) heard.resumed();
    try {
      const response = await request("watch_documents", { path: { kb }, signal }, "text/event-stream");
      for await (const event of eventsOf(response)) {
        pause = SOONEST_MILLISECONDS;
        if (event.name === "document") heard.document(JSON.parse(event.data) as DocumentState);
        else if (event.name === "deleted") heard.deleted((JSON.parse(event.data) as { id: string }).id);
      }
    } catch (error) {
      // A key that may not look will not be let in later; everything else passes.
      if (error instanceof Problem && [401, 403, 404].includes(error.status)) return;
    }
    await sleep(pause, signal);
    pause = Math.min(LATEST_MILLISECONDS, pause * 2);
  }
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
