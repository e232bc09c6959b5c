import { expect, test } from "vitest";

import { patternOf } from "./patternOf";

test("letters are found in either case, and signs of patterns are none", () => {
  expect(patternOf("a-2")).toBe("*[aA]-2*");
  expect(patternOf("x[*]?")).toBe("*[xX]*");
  expect(patternOf("ß")).toBe("*ß*");
  expect(patternOf("")).toBe("**");
});
