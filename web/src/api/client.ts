import { Problem, problemFrom, Unreachable } from "./problem";
import { type Operations, PLACES } from "./schema";

type Name = keyof Operations;
type Empty = Record<never, never>;
type Part<K extends string, T> = [keyof T] extends [never] ? { [P in K]?: T } : { [P in K]: T };
/** What an operation needs: its path, its query and its body, as gateway/openapi.json has them. */
export type Wanted<N extends Name> = Part<"path", Operations[N]["path"]> & {
  query?: Operations[N]["query"];
  signal?: AbortSignal | undefined;
} & (Operations[N]["body"] extends never ? Empty : { body: Operations[N]["body"] });

/** What happened to requests as a whole, for whoever shows it. */
export interface Watcher {
  /** The session is over: nothing valid came with a request. */
  signedOut(): void;
  /** The gateway answered, or it did not. */
  reached(isThere: boolean): void;
}

let watcher: Watcher = { signedOut() {}, reached() {} };

export function watchRequests(next: Watcher): void {
  watcher = next;
}

/** Asks the API. Throws `Problem` for what it refuses and `Unreachable` when there is no answer. */
export async function call<N extends Name>(name: N, wanted: Wanted<N>): Promise<Operations[N]["answer"]> {
  const response = await request(name, wanted);
  return (response.status === 204 ? undefined : await response.json()) as Operations[N]["answer"];
}

/** Asks the API and returns the response itself: for streams and images. */
export async function request<N extends Name>(
  name: N,
  wanted: Wanted<N>,
  accept?: string,
): Promise<Response> {
  const body = "body" in wanted ? JSON.stringify(wanted.body) : undefined;
  const headers = new Headers();
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (accept !== undefined) headers.set("Accept", accept);
  const init: RequestInit = { method: PLACES[name][0], headers, signal: wanted.signal ?? null };
  if (body !== undefined) init.body = body;
  return send(addressOf(name, wanted.path ?? {}, wanted.query ?? {}), init);
}

/** Sends a request and sorts its outcome. */
export async function send(address: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    watcher.reached(false);
    throw new Unreachable(error);
  }
  // A proxy whose gateways are away answers in their place.
  const isThere = ![502, 504].includes(response.status);
  watcher.reached(isThere);
  if (response.ok) return response;
  const problem = await problemFrom(response);
  if (!isThere) throw new Unreachable(problem);
  if (problem.status === 401) watcher.signedOut();
  throw problem;
}

/** Says that the session is over, where a stream and not a response tells it. */
export function noteSignedOut(): void {
  watcher.signedOut();
}

/** Returns an operation's address; empty values of the query are left out. */
export function addressOf<N extends Name>(
  name: N,
  path: Record<string, string | number>,
  query: Record<string, unknown> = {},
): string {
  const filled = PLACES[name][1].replaceAll(/\{(\w+)\}/g, (_, part: string) => {
    const value = path[part];
    if (value === undefined) throw new Error(`${name} needs ${part}`);
    return encodeURIComponent(value);
  });
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null && each !== "") parameters.append(key, String(each));
    }
  }
  return parameters.size > 0 ? `${filled}?${parameters}` : filled;
}

/** Whether trying again without a change can help. */
export function isPassing(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Problem && [429, 503].includes(error.status));
}
