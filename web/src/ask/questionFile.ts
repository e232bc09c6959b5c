import type { Turn, Verdict } from "./answer";

/** A question with what a right answer must hold: a line of the file that `atoll eval` reads. */
export interface KnownQuestion {
  id: string;
  kind: string;
  question: string;
  answerable: boolean;
  expect_all: string[];
  documents: string[];
  pages: [string, number][];
}

const KEPT = "atoll.questions";
const MOST = 2000;

/** Makes a question's line of what a person says about its answer. */
export function knownQuestion(
  turn: Turn,
  verdict: Verdict,
  answerable: boolean,
  expected: string[],
): KnownQuestion {
  // Places of a wrong answer say nothing about where the right one stands.
  const cited = verdict === "right" && answerable ? turn.citations.map(({ evidence }) => evidence) : [];
  const pages = new Map(cited.map(({ document, page }) => [`${page} ${document}`, [document, page]]));
  return {
    id: `screen-${turn.id.slice(0, 8)}`,
    kind: "screen",
    question: turn.question,
    answerable,
    expect_all: answerable ? expected.map((words) => asPattern(words.toLowerCase())) : [],
    documents: [...new Set(cited.map(({ document }) => document))],
    pages: [...pages.values()] as [string, number][],
  };
}

/** The file holds regular expressions; what a person writes means itself. */
function asPattern(words: string): string {
  return words.replaceAll(/[\\^$.*+?()[\]{}|]/g, (sign) => `\\${sign}`);
}

/** Words that follow a number and are no unit of it. */
const NO_UNITS = new Set(
  "a and are at by for from in is of on or to was were with und oder bis von im am ist".split(" "),
);

/** Words that an answer as right as this one must hold: its numbers with their units. To be looked over by a person. */
export function proposedWords(turn: Turn): string[] {
  const text = turn.sentences
    .filter(({ supported }) => supported)
    .map((sentence) => sentence.text)
    .join(" ");
  const asked = turn.question.toLowerCase();
  const found = [...text.matchAll(/\b(\d[\d.,:/]*)(?:\s([a-zäöüß°%]{1,12}))?/gi)].map(
    ([, digits = "", unit = ""]) =>
      unit === "" || NO_UNITS.has(unit.toLowerCase()) || /[.,:/]$/.test(digits)
        ? digits.replace(/[.,:/]+$/, "")
        : `${digits} ${unit}`,
  );
  return [...new Set(found)].filter((each) => !asked.includes(each.toLowerCase())).slice(0, 2);
}

export class QuestionFile {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  all(): KnownQuestion[] {
    try {
      return JSON.parse(this.#storage.getItem(KEPT) ?? "[]") as KnownQuestion[];
    } catch {
      return [];
    }
  }

  /** Adds a question; what was said earlier about the same answer gives way. */
  add(question: KnownQuestion): void {
    const others = this.all().filter(({ id }) => id !== question.id);
    this.#storage.setItem(KEPT, JSON.stringify([...others, question].slice(-MOST)));
  }

  clear(): void {
    this.#storage.removeItem(KEPT);
  }

  /** The file: a JSON object a line. */
  text(): string {
    return this.all()
      .map((question) => `${JSON.stringify(question)}\n`)
      .join("");
  }
}
