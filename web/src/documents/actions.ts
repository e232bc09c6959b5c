import { useQueryClient } from "@tanstack/react-query";

import { call } from "@/api/client";
import { Problem } from "@/api/problem";
import { say } from "@/design/Toasts";
import { useTexts } from "@/texts";

/** What can be done to a document with one word. */
export type Verb = "retry" | "cancel" | "reprocess";

/** Does to a document what a verb says. Throws what the gateway refuses. */
export function doTo(kb: string, verb: Verb, document: string): Promise<unknown> {
  const path = { kb, document };
  switch (verb) {
    case "retry":
      return call("retry_document", { path });
    case "cancel":
      return call("cancel_document", { path });
    case "reprocess":
      return call("reprocess_document", { path, body: null });
  }
}

/** Does what a verb says, and says that it is done or why not. */
export function useVerbs(kb: string): (verb: Verb, id: string) => Promise<void> {
  const t = useTexts();
  const client = useQueryClient();
  return async (verb, id) => {
    try {
      await doTo(kb, verb, id);
      say(t.documents.done[verb]);
    } catch (error) {
      say(error instanceof Problem ? error.detail : t.shell.unreachable);
    }
    await client.invalidateQueries({ queryKey: ["document", kb, id] });
  };
}
