import type { ProblemBody } from "@/api/problem";
import type { AnswerMode, AnsweredBy, EvidenceOut, Mode, SentenceOut, TableOut } from "@/api/schema";

import type { FilterChoice } from "./filters";

export type Box = [number, number, number, number];

export type RowTable = TableOut;
export type Evidence = EvidenceOut;
export type Sentence = SentenceOut;

export interface Citation {
  n: number;
  evidence: Evidence;
}

export interface Refusal {
  reason: string;
  best_score: number;
  missing?: string[];
  message?: string;
}

export type Warning = string | { type: string; message: string };

/** What a question was asked with. */
export interface Wishes {
  mode: Mode;
  answer: AnswerMode;
  filters: FilterChoice;
}

export type TurnState = "searching" | "writing" | "done" | "stopped" | "failed";
export type Verdict = "right" | "wrong";

/** A question and what became of it. */
export interface Turn {
  id: string;
  question: string;
  /** Whether the turns before were sent along. */
  followsUp: boolean;
  wishes: Wishes;
  at: number;
  state: TurnState;
  /** The answer as it arrives; `sentences` hold it in parts once its citations are known. */
  text: string;
  answeredBy: AnsweredBy | null;
  understood: string | null;
  sentences: Sentence[];
  citations: Citation[];
  evidence: Evidence[];
  refusal: Refusal | null;
  warnings: Warning[];
  timings: Record<string, number>;
  revision: number | null;
  problem: ProblemBody | null;
  verdict: Verdict | null;
}

export function newTurn(question: string, wishes: Wishes, followsUp: boolean): Turn {
  return {
    id: crypto.randomUUID(),
    question,
    followsUp,
    wishes,
    at: Date.now(),
    state: "searching",
    text: "",
    answeredBy: null,
    understood: null,
    sentences: [],
    citations: [],
    evidence: [],
    refusal: null,
    warnings: [],
    timings: {},
    revision: null,
    problem: null,
    verdict: null,
  };
}

export function isOver(turn: Turn): boolean {
  return turn.state !== "searching" && turn.state !== "writing";
}

export function warningText(warning: Warning): string {
  return typeof warning === "string" ? warning : warning.message;
}

/** The cells of a table's row that a parser joined with bars, for answers that do not bring the table's header. */
export function cellsOf(text: string): string[] | null {
  const cells = text.split(/(?:^|\s)\|(?:\s|$)/).map((cell) => cell.trim());
  return cells.length > 1 && !text.includes("\n") ? cells : null;
}
