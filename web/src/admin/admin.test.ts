import { expect, test } from "vitest";

import { quotaOf, withTypes } from "./KbDialog";
import { endOf, keyState } from "./keyState";

test("an empty limit is none, megabytes are bytes on the wire", () => {
  expect(quotaOf("", "")).toEqual({});
  expect(quotaOf("20", "1.5")).toEqual({ documents: 20, bytes: 1_500_000 });
  expect(quotaOf("0", "")).toEqual({ documents: 0 });
});

test("settings that the form does not know stay", () => {
  expect(withTypes({ other: 1, entity_types: ["ship"] }, [])).toEqual({ other: 1 });
  expect(withTypes({ other: 1 }, ["ship", "port"])).toEqual({ other: 1, entity_types: ["ship", "port"] });
});

test("a key ends at the end of its last day, and a revoked one at once", () => {
  expect(endOf("")).toBeNull();
  const end = endOf("2030-05-01");
  expect(end).not.toBeNull();
  const key = { revoked_at: null, expires_at: end };
  expect(keyState(key, new Date("2030-05-01T23:00:00").getTime())).toBe("active");
  expect(keyState(key, new Date("2030-05-02T00:00:00").getTime())).toBe("expired");
  expect(keyState({ revoked_at: "2026-01-01T00:00:00Z", expires_at: null })).toBe("revoked");
});
