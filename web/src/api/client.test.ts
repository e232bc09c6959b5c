import { afterEach, expect, test, vi } from "vitest";

import { addressOf, call, watchRequests } from "./client";
import { Problem, Unreachable } from "./problem";

const seen = { signedOut: vi.fn(), reached: vi.fn() };
watchRequests(seen);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.clearAllMocks();
});

function answering(response: Response | Error): ReturnType<typeof vi.fn> {
  const fetching = vi.fn(() =>
    response instanceof Error ? Promise.reject(response) : Promise.resolve(response),
  );
  vi.stubGlobal("fetch", fetching);
  return fetching;
}

test("an address holds its parts, each escaped, and the query without what is empty", () => {
  const address = addressOf("get_page", { kb: "main", document: "a/b?c", page: 3 });
  expect(address).toBe("/v1/kbs/main/documents/a%2Fb%3Fc/pages/3");
  expect(addressOf("list_documents", { kb: "main" }, { name: "a b", cursor: null, status: undefined })).toBe(
    "/v1/kbs/main/documents?name=a+b",
  );
  expect(addressOf("draw_page", { kb: "m", document: "d", page: 1 }, { mark: ["x", "y"] })).toBe(
    "/v1/kbs/m/documents/d/pages/1.png?mark=x&mark=y",
  );
});

test("a body is sent as JSON and an answer without one is nothing", async () => {
  const fetching = answering(new Response(null, { status: 204 }));
  await expect(call("close_session", {})).resolves.toBeUndefined();
  expect(fetching).toHaveBeenCalledWith("/v1/session", expect.objectContaining({ method: "DELETE" }));
  expect(seen.reached).toHaveBeenCalledWith(true);
});

test("a refusal is a problem that says what to do", async () => {
  const body = { type: "urn:atoll:problem:QuotaExceeded", status: 429, detail: "wait", request_id: "r1" };
  answering(new Response(JSON.stringify(body), { status: 429, headers: { "Retry-After": "3" } }));
  const error = await call("list_kbs", {}).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Problem);
  expect(error).toMatchObject({
    kind: "QuotaExceeded",
    detail: "wait",
    requestId: "r1",
    retryAfterSeconds: 3,
  });
  expect(seen.signedOut).not.toHaveBeenCalled();
});

test("without a valid session whoever watches is told", async () => {
  answering(new Response("{}", { status: 401 }));
  await expect(call("list_kbs", {})).rejects.toBeInstanceOf(Problem);
  expect(seen.signedOut).toHaveBeenCalledOnce();
});

test("a gateway that is away is no problem of the request", async () => {
  answering(new TypeError("failed to fetch"));
  await expect(call("list_kbs", {})).rejects.toBeInstanceOf(Unreachable);
  answering(new Response("<html>bad gateway", { status: 502 }));
  await expect(call("list_kbs", {})).rejects.toBeInstanceOf(Unreachable);
  expect(seen.reached).toHaveBeenLastCalledWith(false);
});
