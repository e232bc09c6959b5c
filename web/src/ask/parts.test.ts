import { expect, test } from "vitest";

import type { Sentence } from "./answer";
import { inlineOf, partsOf, withoutMarks } from "./parts";

const said = (text: string, part: Partial<Sentence> = {}): Sentence => ({
  text,
  citations: [1],
  supported: true,
  places: [],
  table: null,
  ...part,
});
const shape = (text: string, sentences: Sentence[]) =>
  partsOf(text, sentences).map((part) =>
    part.kind === "table"
      ? [part.kind, part.header, part.rows.map(({ at, cells }) => [at, ...cells])]
      : [part.kind, ...part.sentences.map(({ at, sentence }) => `${at} ${sentence.text}`)],
  );

test("sentences run on until the answer has a break", () => {
  const text = "One. [1] Two. [2]\n\nThree. [1]";
  expect(shape(text, [said("One."), said("Two."), said("Three.")])).toEqual([
    ["text", "0 One.", "1 Two."],
    ["text", "2 Three."],
  ]);
});

test("lines of a list are items", () => {
  const text = "Two ways:\n- by ship. [1]\n2) by air. [2]";
  expect(shape(text, [said("Two ways:"), said("- by ship."), said("2) by air.")])).toEqual([
    ["text", "0 Two ways:"],
    ["item", "1 by ship."],
    ["item", "2 by air."],
  ]);
});

test("rows of one table are one table, with the header that came along", () => {
  const table = (row: string[]) => ({ table: { header: ["Port", "Fare"], row } });
  const sentences = [
    said("Osk | 4", table(["Osk", "4"])),
    said("Grim | 5", table(["Grim", "5"])),
    said("So."),
  ];
  expect(shape("Osk | 4 [1] Grim | 5 [1] So. [1]", sentences)).toEqual([
    [
      "table",
      ["Port", "Fare"],
      [
        [0, "Osk", "4"],
        [1, "Grim", "5"],
      ],
    ],
    ["text", "2 So."],
  ]);
});

test("a row whose header is not known is a table all the same", () => {
  expect(shape("Steps | 142", [said("Steps | 142")])).toEqual([["table", [], [[0, "Steps", "142"]]]]);
});

test("what a model wrote strong or as code; markup is text", () => {
  expect(inlineOf("a **b** `c` <i>d</i> **")).toEqual([
    { kind: "plain", text: "a " },
    { kind: "strong", text: "b" },
    { kind: "plain", text: " " },
    { kind: "code", text: "c" },
    { kind: "plain", text: " <i>d</i> **" },
  ]);
});

test("marks of an answer that arrives are left out", () => {
  expect(withoutMarks("A. [1][12] B [x]. [2")).toBe("A. B [x]. [2");
});
