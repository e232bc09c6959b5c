import { expect, test } from "vitest";

import type { Box, Citation, Sentence } from "@/ask/answer";

import { hitsOf } from "./hits";

const box = (at: number): Box => [at, at, at + 10, at + 10];

function sentence(places: { n: number; page: number; boxes: Box[] }[]): Sentence {
  return {
    text: "Sunday: 11:00",
    citations: [1],
    supported: true,
    places,
    table: null,
  } as unknown as Sentence;
}

const citations = [
  {
    n: 1,
    evidence: {
      document_id: "d",
      document: "timetable",
      page: 1,
      boxes: [box(0)],
      passage_id: "p",
      text: "",
    },
  },
] as unknown as Citation[];

test("cells of one row are one hit, and a sentence on two pages has one on each", () => {
  const row = sentence([1, 2].map((at) => ({ n: 1, page: 1, boxes: [box(at)] })));
  expect(hitsOf([row], citations).map(({ page, marks }) => [page, marks])).toEqual([[1, [box(1), box(2)]]]);
  const turned = sentence([1, 2].map((page) => ({ n: 1, page, boxes: [box(page)] })));
  expect(hitsOf([turned], citations).map(({ page, frame }) => [page, frame])).toEqual([
    [1, [box(0)]],
    [2, []],
  ]);
});
