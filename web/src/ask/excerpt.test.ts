import { expect, test } from "vitest";

import { excerpt } from "./excerpt";

test("what stands around a span", () => {
  expect(excerpt("aaaa bbbb cccc", [5, 9], 3)).toEqual(["… aa ", "bbbb", " cc …"]);
  expect(excerpt("aaaa bbbb", [0, 4], 30)).toEqual(["", "aaaa", " bbbb"]);
});

test("characters outside of the first plane count once", () => {
  expect(excerpt("𝔞𝔟𝔠𝔡", [1, 3], 9)).toEqual(["𝔞", "𝔟𝔠", "𝔡"]);
});

test("without a span the beginning is shown", () => {
  expect(excerpt("abcdef", null, 2)).toEqual(["abcd …", "", ""]);
  expect(excerpt("abc", null, 2)).toEqual(["abc", "", ""]);
});
