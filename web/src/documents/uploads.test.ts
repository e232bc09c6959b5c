import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { type Outcome, type Transport, Uploads } from "./uploads";

const WISHES = { labels: ["staff"], metadata: { year: 2024 }, replace: true, password: "" };
const ACCEPTED: Outcome = {
  status: 202,
  body: JSON.stringify({ batch_id: "b", documents: [{ id: "d1" }], duplicates: [] }),
  retryAfter: null,
};
const chosen = (name: string, folder = "") => ({ file: new File(["abc"], name), folder });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function answering(...outcomes: Outcome[]) {
  const forms: FormData[] = [];
  const transport: Transport = (_, form, progress) => {
    forms.push(form);
    progress(2);
    return Promise.resolve(outcomes.length > 1 ? (outcomes.shift() ?? ACCEPTED) : (outcomes[0] ?? ACCEPTED));
  };
  return { uploads: new Uploads(transport), forms };
}

test("a file goes with its folder, labels, metadata and wish to replace", async () => {
  const { uploads, forms } = answering(ACCEPTED);
  uploads.add("main", [chosen("a.txt", "north/2024")], WISHES);
  await vi.runAllTimersAsync();
  const form = forms[0];
  const fields = ["labels", "metadata", "replace", "source", "password"].map((name) => form?.get(name));
  expect(fields).toEqual(["staff", '{"year":2024}', "true", "north/2024", null]);
  expect(form?.get("file")).toMatchObject({ name: "a.txt" });
  expect(uploads.sendings()).toMatchObject([{ state: "accepted", document: "d1", sent: 3 }]);
});

test("three files are on their way at a time", async () => {
  let [active, most] = [0, 0];
  const uploads = new Uploads(async () => {
    most = Math.max(most, (active += 1));
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
    active -= 1;
    return ACCEPTED;
  });
  uploads.add(
    "main",
    ["a", "b", "c", "d", "e"].map((name) => chosen(name)),
    WISHES,
  );
  expect(uploads.sendings().map(({ state }) => state)).toEqual([
    "sending",
    "sending",
    "sending",
    "waiting",
    "waiting",
  ]);
  await vi.runAllTimersAsync();
  expect(most).toBe(3);
  expect(uploads.sendings().every(({ state }) => state === "accepted")).toBe(true);
  uploads.clear();
  expect(uploads.sendings()).toEqual([]);
});

test("a busy gateway is asked again when it said, one that is away a little later, and not for ever", async () => {
  const busy: Outcome = { status: 429, body: "{}", retryAfter: "7" };
  const away: Outcome = { status: 0, body: "", retryAfter: null };
  const some = answering(busy, away, ACCEPTED);
  some.uploads.add("main", [chosen("a")], WISHES);
  await vi.advanceTimersByTimeAsync(6900);
  expect(some.forms).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(some.forms).toHaveLength(2);
  await vi.runAllTimersAsync();
  expect(some.uploads.sendings()[0]?.state).toBe("accepted");
  const never = answering(away);
  never.uploads.add("main", [chosen("a")], WISHES);
  await vi.runAllTimersAsync();
  expect([never.forms.length, never.uploads.sendings()[0]?.state]).toEqual([6, "failed"]);
});

test("a refusal says why and is not tried again; a file that is there already is told apart", async () => {
  const body = JSON.stringify({
    type: "urn:atoll:problem:DocumentTooLarge",
    status: 413,
    detail: "at most 256 MiB",
  });
  const refused = answering({ status: 413, body, retryAfter: null });
  refused.uploads.add("main", [chosen("a")], WISHES);
  await vi.runAllTimersAsync();
  expect(refused.forms).toHaveLength(1);
  expect(refused.uploads.sendings()[0]).toMatchObject({
    state: "failed",
    problem: { detail: "at most 256 MiB" },
  });
  refused.uploads.retry(refused.uploads.sendings()[0]?.id ?? 0);
  await vi.runAllTimersAsync();
  expect(refused.forms).toHaveLength(2);
  const again = { documents: [], duplicates: [{ name: "a", document_id: "d0" }] };
  const known = answering({ status: 202, body: JSON.stringify(again), retryAfter: null });
  known.uploads.add("main", [chosen("a")], WISHES);
  await vi.runAllTimersAsync();
  expect(known.uploads.sendings()[0]).toMatchObject({ state: "known", document: "d0" });
});

test("what waits can be taken back", async () => {
  const { uploads, forms } = answering(ACCEPTED);
  uploads.add(
    "main",
    ["a", "b", "c", "d"].map((name) => chosen(name)),
    WISHES,
  );
  uploads.cancelWaiting();
  await vi.runAllTimersAsync();
  expect([forms.length, uploads.sendings().length]).toEqual([3, 3]);
});
