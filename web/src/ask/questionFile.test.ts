import { expect, test } from "vitest";

import { NO_FILTERS } from "./filters";
import { newTurn, type Sentence } from "./answer";
import { knownQuestion, proposedWords } from "./questionFile";

function turnOf(question: string, ...texts: string[]) {
  const turn = newTurn(question, { mode: "mix", answer: "auto", filters: NO_FILTERS }, false);
  const sentences = texts.map((text) => ({ text, citations: [1], supported: true, places: [], table: null }));
  return { ...turn, sentences: sentences as unknown as Sentence[] };
}

test("the numbers of an answer are proposed with their units, and words that only follow are not", () => {
  expect(proposedWords(turnOf("How long?", "It lasts 118 days."))).toEqual(["118 days"]);
  expect(
    proposedWords(turnOf("How many?", "Stairs | 142 steps | Rest platforms at steps 48 and 96")),
  ).toEqual(["142 steps", "48"]);
  expect(proposedWords(turnOf("What did it cost?", "It cost £11,480."))).toEqual(["11,480"]);
  expect(proposedWords(turnOf("What about 118 days?", "It lasts 118 days."))).toEqual([]);
});

test("the file holds patterns that mean the words that were written", () => {
  const { expect_all } = knownQuestion(turnOf("What?", "x"), "right", true, ["6.5 Nm (cold)", "11,480"]);
  expect(expect_all).toEqual(["6\\.5 nm \\(cold\\)", "11,480"]);
  expect(new RegExp(expect_all[0] ?? "").test("6.5 nm (cold)")).toBe(true);
});
