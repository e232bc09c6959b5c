import { useQueryClient } from "@tanstack/react-query";

import { addressOf, offers, send } from "@/api/client";
import { Problem } from "@/api/problem";
import { say } from "@/design/Toasts";
import { useTexts } from "@/texts";

/** What can be done to a document with one word. */
export type Verb = "retry" | "cancel" | "reprocess";

/** What a person changes about a document that stays as it is. */
export interface Change {
  labels: string[];
  metadata: Record<string, unknown>;
}

const DOCUMENT = "/v1/kbs/{kb}/documents/{document}";
export const CAN_CHANGE = offers("PATCH", DOCUMENT);
export const CAN_REPROCESS = offers("POST", `${DOCUMENT}/reprocess`);
export const TELLS_SKIPPED = offers("GET", `${DOCUMENT}/skipped`);

export function changeDocument(kb: string, id: string, change: Change): Promise<Response> {
  return send(addressOf("get_document", { kb, document: id }), {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(change),
  });
}

/** Does what a verb says, and says that it is done or why not. */
export function useVerbs(kb: string): (verb: Verb, id: string) => Promise<void> {
  const t = useTexts();
  const client = useQueryClient();
  return async (verb, id) => {
    try {
      const body =
        verb === "reprocess" ? { headers: { "Content-Type": "application/json" }, body: "{}" } : {};
      await send(`${addressOf("get_document", { kb, document: id })}/${verb}`, { method: "POST", ...body });
      say(t.documents.done[verb]);
    } catch (error) {
      say(error instanceof Problem ? error.detail : t.shell.unreachable);
    }
    await client.invalidateQueries({ queryKey: ["document", kb, id] });
  };
}
