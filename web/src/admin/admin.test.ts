import { expect, test } from "vitest";

import { withTypes } from "./KbDialog";
import { dayOf, endOf, keyState } from "./keyState";
import { quotaOf, quotaText } from "./quota";

test("an empty limit is none, megabytes are bytes on the wire", () => {
  const none = { documents: "", megabytes: "", queries: "" };
  expect(quotaOf(none)).toEqual({});
  expect(quotaOf({ ...none, documents: "0" })).toEqual({ documents: 0 });
  const limits = { documents: 20, bytes: 1_500_000, queries_per_day: 9 };
  expect(quotaText(limits)).toEqual({ documents: "20", megabytes: "1.5", queries: "9" });
  expect(quotaOf(quotaText(limits))).toEqual(limits);
});

test("settings that the form does not know stay", () => {
  expect(withTypes({ other: 1, entity_types: ["ship"] }, [])).toEqual({ other: 1 });
  expect(withTypes({ other: 1 }, ["ship", "port"])).toEqual({ other: 1, entity_types: ["ship", "port"] });
});

test("a key ends at the end of its last day, and a revoked one at once", () => {
  expect(endOf("")).toBeNull();
  const end = endOf("2030-05-01");
  expect([end === null, dayOf(end), dayOf(null)]).toEqual([false, "2030-05-01", ""]);
  const key = { revoked_at: null, expires_at: end };
  expect(keyState(key, new Date("2030-05-01T23:00:00").getTime())).toBe("active");
  expect(keyState(key, new Date("2030-05-02T00:00:00").getTime())).toBe("expired");
  expect(keyState({ revoked_at: "2026-01-01T00:00:00Z", expires_at: null })).toBe("revoked");
});
