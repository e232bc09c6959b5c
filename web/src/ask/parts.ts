import type { RowTable, Sentence } from "./answer";
import { cellsOf } from "./answer";

/** A sentence with its place in the answer: what citations refer to. */
export interface Placed {
  at: number;
  sentence: Sentence;
}

export interface Row extends Placed {
  cells: string[];
}

/** A stretch of an answer as it is set: running text, a line of a list, or a table. */
export type Part =
  | { kind: "text"; sentences: Placed[] }
  | { kind: "item"; sentences: Placed[] }
  | { kind: "table"; header: string[]; rows: Row[] };

const BULLET = /^\s*(?:[-*•]|\d{1,2}[.)])\s+/;

/** Puts an answer's sentences together: paragraphs where its text has breaks, rows of one table in one table. */
export function partsOf(text: string, sentences: readonly Sentence[]): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const [at, sentence] of sentences.entries()) {
    const found = text.indexOf(sentence.text, from);
    const isBroken = found >= 0 && text.slice(from, found).includes("\n");
    if (found >= 0) from = found + sentence.text.length;
    add(parts, { at, sentence }, isBroken);
  }
  return parts;
}

function add(parts: Part[], placed: Placed, isBroken: boolean): void {
  const last = parts.at(-1);
  const table = tableOf(placed.sentence);
  if (table !== null) {
    const row = { ...placed, cells: table.row };
    const fits = last?.kind === "table" && last.header.join("\0") === table.header.join("\0");
    if (fits && last.rows[0]?.cells.length === table.row.length) last.rows.push(row);
    else parts.push({ kind: "table", header: table.header, rows: [row] });
  } else if (BULLET.test(placed.sentence.text)) {
    const sentence = { ...placed.sentence, text: placed.sentence.text.replace(BULLET, "") };
    parts.push({ kind: "item", sentences: [{ ...placed, sentence }] });
  } else if (last !== undefined && last.kind !== "table" && !isBroken) {
    last.sentences.push(placed);
  } else {
    parts.push({ kind: "text", sentences: [placed] });
  }
}

function tableOf(sentence: Sentence): RowTable | null {
  if (sentence.table) return sentence.table;
  const cells = cellsOf(sentence.text);
  return cells === null ? null : { header: [], row: cells };
}

/** Words in a line that a model wrote strong or as code; everything else is text, markup too. */
export type Inline = { kind: "plain" | "strong" | "code"; text: string };

export function inlineOf(text: string): Inline[] {
  return text
    .split(/(\*\*[^*\n]+\*\*|`[^`\n]+`)/)
    .filter(Boolean)
    .map((piece) => {
      if (piece.startsWith("**") && piece.length > 4) return { kind: "strong", text: piece.slice(2, -2) };
      if (piece.startsWith("`") && piece.length > 2) return { kind: "code", text: piece.slice(1, -1) };
      return { kind: "plain", text: piece };
    });
}

/** The text of an answer that is arriving, its marks `[1]` apart: their sources are not known yet. */
export function withoutMarks(text: string): string {
  return text.replaceAll(/\s?(?:\[\d{1,3}\])+/g, "");
}
