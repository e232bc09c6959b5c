import { noteSignedOut, request } from "@/api/client";
import { eventsOf, type ServerEvent } from "@/api/events";
import { Problem, type ProblemBody, Unreachable } from "@/api/problem";
import type { QueryIn, QueryOut, TurnIn } from "@/api/schema";
import type { Conversations } from "@/history/conversations";

import { isOver, type Refusal, type Sentence, type Turn } from "./answer";
import { toApi } from "./filters";

/** Turns before a question that are sent along, and characters of each. */
const MOST_TURNS = 8;
const MOST_CHARACTERS = 4000;
const TOP_K = 20;

const running = new Map<string, AbortController>();

/** Stops an answer that is arriving; what is there of it stays. */
export function stop(turn: string): void {
  running.get(turn)?.abort();
}

/** Asks a turn's question and changes the turn as the answer arrives, until it is over. Never throws. */
export async function ask(conversations: Conversations, id: string, turn: Turn): Promise<void> {
  const known = conversations.get(id);
  if (known === null) return;
  const controller = new AbortController();
  running.set(turn.id, controller);
  const pen = new Pen(conversations, id, turn.id);
  try {
    const before = known.turns.slice(
      0,
      known.turns.findIndex((each) => each.id === turn.id),
    );
    const body = questionOf(turn, turn.followsUp ? contextOf(before) : []);
    const wanted = { path: { kb: known.kb }, body, signal: controller.signal };
    const response = await request("query", wanted, "text/event-stream");
    for await (const event of eventsOf(response)) pen.note(event);
    pen.end();
  } catch (error) {
    pen.fail(controller.signal.aborted ? null : error);
  } finally {
    running.delete(turn.id);
  }
}

function questionOf(turn: Turn, before: readonly Turn[]): QueryIn {
  const filters = toApi(turn.wishes.filters);
  return {
    query: turn.question,
    mode: turn.wishes.mode,
    answer: turn.wishes.answer,
    top_k: TOP_K,
    stream: true,
    history: historyOf(before),
    ...(filters === undefined ? {} : { filters }),
  };
}

/** The turns that a follow-up question follows: from the last one on that was asked on its own. */
export function contextOf(turns: readonly Turn[]): readonly Turn[] {
  return turns.slice(
    Math.max(
      0,
      turns.findLastIndex(({ followsUp }) => !followsUp),
    ),
  );
}

/** The conversation so far as the API takes it: what was asked, and what was answered. */
export function historyOf(turns: readonly Turn[]): TurnIn[] {
  return turns
    .filter((turn) => turn.state === "done" && turn.text !== "")
    .slice(-MOST_TURNS)
    .flatMap(({ question, text }) => [
      { role: "user" as const, content: question },
      { role: "assistant" as const, content: text.slice(0, MOST_CHARACTERS) },
    ]);
}

/** Writes a turn as events arrive; text of one frame of the screen is shown at once. */
class Pen {
  readonly #conversations: Conversations;
  readonly #id: string;
  readonly #turn: string;
  #text = "";
  #drawing: number | null = null;
  #over = false;

  constructor(conversations: Conversations, id: string, turn: string) {
    this.#conversations = conversations;
    this.#id = id;
    this.#turn = turn;
  }

  note(event: ServerEvent): void {
    const data = JSON.parse(event.data) as Record<string, unknown>;
    switch (event.name) {
      case "evidence":
        this.#change({ evidence: data.evidence, revision: data.revision, state: "writing" } as Partial<Turn>);
        break;
      case "delta":
        this.#text += String(data.text);
        this.#drawing ??= requestAnimationFrame(() => this.#draw());
        break;
      case "replace":
        this.#text = "";
        this.#change({
          text: "",
          sentences: [],
          citations: [],
          answeredBy: data.answered_by,
        } as Partial<Turn>);
        break;
      case "citations":
        this.#change({ sentences: data.sentences, citations: data.citations } as Partial<Turn>);
        break;
      case "done":
        this.#finish(wholeAnswer(data as unknown as QueryOut));
        break;
      case "error": {
        const problem = data.problem as ProblemBody;
        this.#finish({ state: "failed", problem });
        if (problem.status === 401) noteSignedOut();
        break;
      }
    }
  }

  /** The stream ended: if nothing said so, it broke off. */
  end(): void {
    if (!this.#over) this.fail(new Unreachable("the answer broke off"));
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#finish(
      error === null ? { state: "stopped", text: this.#text } : { state: "failed", problem: bodyOf(error) },
    );
  }

  #draw(): void {
    this.#drawing = null;
    if (!this.#over) this.#change({ text: this.#text });
  }

  #finish(part: Partial<Turn>): void {
    this.#over = true;
    if (this.#drawing !== null) cancelAnimationFrame(this.#drawing);
    this.#conversations.change(this.#id, this.#turn, part, true);
  }

  #change(part: Partial<Turn>): void {
    this.#conversations.change(this.#id, this.#turn, part, false);
  }
}

function wholeAnswer(answer: Omit<QueryOut, "evidence"> & { understood?: string | null }): Partial<Turn> {
  return {
    state: "done",
    text: answer.answer,
    answeredBy: answer.answered_by,
    understood: answer.understood ?? null,
    sentences: answer.sentences as Sentence[],
    citations: answer.citations,
    refusal: answer.refusal as Refusal | null,
    warnings: answer.warnings,
    timings: answer.timings_ms,
    revision: answer.revision,
  };
}

/** An error in the form in which a turn keeps it; the kind "Unreachable" is the screen's own. */
function bodyOf(error: unknown): ProblemBody {
  if (error instanceof Problem) {
    const { type, status, detail, requestId } = error;
    return { type, status, detail, ...(requestId === null ? {} : { request_id: requestId }) };
  }
  return { type: "urn:atoll:problem:Unreachable", status: 0 };
}

/** Whether anything of a conversation is still being answered. */
export function isBusy(turns: readonly Turn[]): boolean {
  return turns.some((turn) => !isOver(turn));
}
