import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

// oxlint-disable-next-line import/extensions -- a script of the build, without types
import { render } from "../../scripts/api-types.mjs";

test("the types are those of gateway/openapi.json", () => {
  const api: unknown = JSON.parse(readFileSync("../gateway/openapi.json", "utf8"));
  expect(readFileSync("src/api/schema.ts", "utf8")).toBe(render(api));
});
