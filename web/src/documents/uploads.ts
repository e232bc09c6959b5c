import { addressOf } from "@/api/client";
import { type Problem, problemOf, type ProblemBody } from "@/api/problem";
import type { AcceptedOut } from "@/api/schema";

/** What goes with every file of an upload. */
export interface UploadWishes {
  labels: string[];
  metadata: Record<string, unknown>;
  replace: boolean;
  password: string;
}

/** A file and the folder that it came from, "" for none. */
export interface Chosen {
  file: File;
  folder: string;
}

export type SendingState = "waiting" | "sending" | "accepted" | "known" | "failed";

export interface Sending {
  id: number;
  name: string;
  folder: string;
  bytes: number;
  /** Bytes that are on their way or there. */
  sent: number;
  state: SendingState;
  problem: Problem | null;
  document: string | null;
  /** Folders in which other documents of this name lie; they were not replaced. */
  namesakes: string[];
}

interface Queued {
  sending: Sending;
  kb: string;
  file: File;
  wishes: UploadWishes;
  tries: number;
}

const AT_ONCE = 3;
const MOST_TRIES = 6;
const LONGEST_WAIT_SECONDS = 20;
export const MOST_FILES = 20_000;

/** What a transport tells of a request that has ended. */
export interface Outcome {
  status: number;
  body: string;
  retryAfter: string | null;
}

/** Sends a form and tells how far it is; status 0 means that no answer came. */
export type Transport = (
  address: string,
  form: FormData,
  progress: (sent: number) => void,
) => Promise<Outcome>;

/** Files on their way: three at a time, each in a request of its own, tried again where that can help. */
export class Uploads {
  readonly #transport: Transport;
  readonly #waiting: Queued[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #refused = new Map<number, Queued>();
  #sendings: readonly Sending[] = [];
  #active = 0;
  #lastId = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly sendings = (): readonly Sending[] => this.#sendings;

  /** Queues files. They are sent in the order in which they were chosen. */
  add(kb: string, files: readonly Chosen[], wishes: UploadWishes): void {
    const room = Math.max(0, MOST_FILES - this.#sendings.length);
    const added = files.slice(0, room).map(({ file, folder }) => {
      this.#lastId += 1;
      const sending: Sending = {
        id: this.#lastId,
        name: file.name,
        folder,
        bytes: file.size,
        sent: 0,
        state: "waiting",
        problem: null,
        document: null,
        namesakes: [],
      };
      this.#waiting.push({ sending, kb, file, wishes, tries: 0 });
      return sending;
    });
    this.#sendings = [...this.#sendings, ...added];
    this.#tell();
    this.#next();
  }

  /** Sends a file that was refused once more. */
  retry(id: number): void {
    const queued = this.#refused.get(id);
    if (queued === undefined) return;
    this.#refused.delete(id);
    this.#waiting.push({ ...queued, tries: 0 });
    this.#change(id, { state: "waiting", sent: 0, problem: null });
    this.#next();
  }

  /** Takes files that have not been sent off the list. */
  cancelWaiting(): void {
    this.#waiting.length = 0;
    this.#sendings = this.#sendings.filter(({ state }) => state !== "waiting");
    this.#tell();
  }

  /** Forgets what has ended. */
  clear(): void {
    this.#sendings = this.#sendings.filter(({ state }) => state === "waiting" || state === "sending");
    this.#refused.clear();
    this.#tell();
  }

  #next(): void {
    while (this.#active < AT_ONCE) {
      const queued = this.#waiting.shift();
      if (queued === undefined) return;
      this.#active += 1;
      void this.#send(queued).finally(() => {
        this.#active -= 1;
        this.#next();
      });
    }
  }

  async #send(queued: Queued): Promise<void> {
    const { sending, kb, file, wishes } = queued;
    const address = addressOf("upload_documents", { kb });
    this.#change(sending.id, { state: "sending", sent: 0 });
    for (;;) {
      queued.tries += 1;
      const outcome = await this.#transport(address, formOf(file, sending.folder, wishes), (sent) =>
        this.#change(sending.id, { sent: Math.min(sent, file.size) }),
      );
      const canHelp = [0, 429, 502, 503, 504].includes(outcome.status) && queued.tries < MOST_TRIES;
      if (!canHelp) {
        const result = resultOf(outcome, file.size, wishes.replace);
        if (result.state === "failed") this.#refused.set(sending.id, queued);
        this.#change(sending.id, result);
        return;
      }
      await sleep(waitOf(outcome, queued.tries));
    }
  }

  #change(id: number, part: Partial<Sending>): void {
    this.#sendings = this.#sendings.map((each) => (each.id === id ? { ...each, ...part } : each));
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function formOf(file: File, folder: string, wishes: UploadWishes): FormData {
  const form = new FormData();
  if (wishes.labels.length > 0) form.append("labels", wishes.labels.join(","));
  if (Object.keys(wishes.metadata).length > 0) form.append("metadata", JSON.stringify(wishes.metadata));
  if (wishes.replace) form.append("replace", "true");
  if (wishes.password !== "") form.append("password", wishes.password);
  if (folder !== "") form.append("source", folder);
  form.append("file", file, file.name);
  return form;
}

function resultOf({ status, body }: Outcome, bytes: number, replaces: boolean): Partial<Sending> {
  if (status !== 202) return { state: "failed", problem: problemOf(parsed<ProblemBody>(body) ?? {}, status) };
  const accepted = parsed<AcceptedOut>(body);
  const known = accepted?.duplicates[0]?.document_id;
  return {
    state: known === undefined ? "accepted" : "known",
    sent: bytes,
    document: known ?? accepted?.documents[0]?.id ?? null,
    // Whoever does not mean to replace need not be told that the name is taken elsewhere.
    namesakes: replaces ? (accepted?.namesakes ?? []).map(({ source }) => source ?? "") : [],
  };
}

function parsed<T>(body: string): T | null {
  try {
    return JSON.parse(body) as T;
  } catch {
    return null;
  }
}

/** Seconds that the gateway asked to wait, else longer with every try. */
function waitOf({ retryAfter }: Outcome, tries: number): number {
  const asked = Number(retryAfter ?? Number.NaN);
  return Math.min(LONGEST_WAIT_SECONDS, Number.isFinite(asked) && asked > 0 ? asked : 2 ** (tries - 1));
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
  });
}

/** The browser's request that tells how much of a body is out; `fetch` does not. */
const byRequest: Transport = (address, form, progress) =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("loadend", () => {
      const retryAfter = request.getResponseHeader("retry-after");
      resolve({ status: request.status, body: request.responseText, retryAfter });
    });
    request.open("POST", address);
    request.send(form);
  });

/** The uploads of this page; they go on while other views are shown. */
export const uploads = new Uploads(byRequest);
