import { expect, test } from "vitest";

import type { Citation, Evidence, Sentence } from "@/ask/answer";

import { around, placed, resolutionFor, widened } from "./geometry";
import { hitsOf, indexOf } from "./hits";

const A4 = { width: 595, height: 842 };

test("a box is placed by shares of its page", () => {
  expect(placed([59.5, 84.2, 119, 421], A4)).toEqual({
    left: "10%",
    top: "10%",
    width: "10%",
    height: "40%",
  });
});

test("the box around boxes, and room around it within the page", () => {
  const box = around([
    [10, 10, 20, 20],
    [5, 15, 12, 30],
  ]);
  expect(box).toEqual([5, 10, 20, 30]);
  expect(around([])).toBeNull();
  expect(widened(box ?? [0, 0, 0, 0], 12, A4)).toEqual([0, 0, 32, 42]);
});

test("a page is drawn finer where it is shown larger than it is", () => {
  expect([resolutionFor(500, A4), resolutionFor(793, A4), resolutionFor(1200, A4)]).toEqual([96, 96, 150]);
});

const evidence = (id: string, page: number): Evidence =>
  ({
    document_id: id,
    document: `${id}.pdf`,
    page,
    boxes: [[0, 0, 10, 10]],
    passage_id: `p-${id}`,
    text: "",
  }) as never;
const citations: Citation[] = [
  { n: 1, evidence: evidence("a", 3) },
  { n: 2, evidence: evidence("b", 1) },
];
const sentence = (text: string, cited: number[], places: Sentence["places"] = []): Sentence => ({
  text,
  citations: cited,
  supported: true,
  places,
  table: null,
});

test("a sentence marks its own boxes and frames its passage; on the next page there is no frame", () => {
  const hits = hitsOf(
    [
      sentence(
        "One.",
        [1],
        [
          { n: 1, page: 3, boxes: [[1, 1, 2, 2]], span: [0, 4] },
          { n: 1, page: 4, boxes: [[5, 5, 6, 6]], span: [4, 8] },
        ],
      ),
      sentence("Two.", [2, 1]),
      sentence("Nobody says so.", [9]),
    ],
    citations,
  );
  expect(hits.map(({ n, sentence: at, page, marks, frame }) => [n, at, page, marks, frame])).toEqual([
    [1, 0, 3, [[1, 1, 2, 2]], [[0, 0, 10, 10]]],
    [1, 0, 4, [[5, 5, 6, 6]], []],
    [2, 1, 1, [[0, 0, 10, 10]], []],
    [1, 1, 3, [[0, 0, 10, 10]], []],
  ]);
  expect([indexOf(hits, 1, 1), indexOf(hits, null, 1), indexOf(hits, 0, 2)]).toEqual([3, 0, 0]);
});
