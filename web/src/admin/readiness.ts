import { addressOf } from "@/api/client";
import { problemFrom, Unreachable } from "@/api/problem";
import type { ReadyOut } from "@/api/schema";

/**
 * Returns what the gateway says of its own readiness; "not ready" is an answer too, by status 503. Null where an edge
 * keeps it from the outside.
 */
export async function readiness(signal: AbortSignal): Promise<ReadyOut | null> {
  let response: Response;
  try {
    response = await fetch(addressOf("ready", {}), { signal, cache: "no-store" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable(error);
  }
  if (response.status === 404) return null;
  const isJson = response.headers.get("content-type") === "application/json";
  if (!isJson) throw await problemFrom(response);
  return (await response.json()) as ReadyOut;
}
