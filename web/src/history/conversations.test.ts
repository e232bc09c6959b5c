import { beforeEach, expect, test } from "vitest";

import { type Evidence, newTurn, type Turn } from "@/ask/answer";
import { NO_FILTERS } from "@/ask/filters";

import { Conversations } from "./conversations";

/** A browser's storage with a bound in characters. */
class BoundedStorage implements Storage {
  readonly #items = new Map<string, string>();
  constructor(readonly bound = Number.POSITIVE_INFINITY) {}
  get length(): number {
    return this.#items.size;
  }
  clear(): void {
    this.#items.clear();
  }
  key(at: number): string | null {
    return [...this.#items.keys()][at] ?? null;
  }
  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }
  removeItem(key: string): void {
    this.#items.delete(key);
  }
  setItem(key: string, value: string): void {
    const others = [...this.#items]
      .filter(([name]) => name !== key)
      .reduce((sum, [, text]) => sum + text.length, 0);
    if (others + value.length > this.bound) throw new DOMException("full", "QuotaExceededError");
    this.#items.set(key, value);
  }
}

let storage: BoundedStorage;

beforeEach(() => {
  storage = new BoundedStorage();
});

function asked(question: string, at: number, part: Partial<Turn> = {}): Turn {
  const wishes = { mode: "mix", answer: "auto", filters: NO_FILTERS } as const;
  return { ...newTurn(question, wishes, false), at, state: "done", ...part };
}

test("what was asked is there after a reload, newest first, and only for its own key", () => {
  const one = new Conversations(storage, "key1");
  one.add("a", "main", asked("first?", 1));
  one.add("b", "main", asked("second?", 2));
  one.add("a", "main", asked("and then?", 3));
  const again = new Conversations(storage, "key1");
  expect(again.list().map(({ id, title }) => [id, title])).toEqual([
    ["a", "first?"],
    ["b", "second?"],
  ]);
  expect(again.get("a")?.turns.map(({ question }) => question)).toEqual(["first?", "and then?"]);
  expect(new Conversations(storage, "key2").list()).toEqual([]);
  expect(new Conversations(storage, "key2").get("a")).toBeNull();
});

test("a question that was being answered when the page was left is stopped, and its evidence is not kept", () => {
  const evidence = [{ rank: 1 }] as Evidence[];
  const conversations = new Conversations(storage, "key");
  conversations.add("a", "main", asked("why?", 1, { state: "writing", evidence }));
  expect(conversations.get("a")?.turns[0]?.evidence).toHaveLength(1);
  const kept = new Conversations(storage, "key").get("a")?.turns[0];
  expect([kept?.state, kept?.evidence]).toEqual(["stopped", []]);
});

test("pieces of an answer are seen at once and written when they are kept", () => {
  const conversations = new Conversations(storage, "key");
  const turn = asked("why?", 1, { state: "writing" });
  conversations.add("a", "main", turn);
  let told = 0;
  conversations.subscribe(() => {
    told += 1;
  });
  conversations.change("a", turn.id, { text: "Because" }, false);
  expect([told, conversations.get("a")?.turns[0]?.text]).toEqual([1, "Because"]);
  expect(new Conversations(storage, "key").get("a")?.turns[0]?.text).toBe("");
  conversations.change("a", turn.id, { state: "done" }, true);
  expect(new Conversations(storage, "key").get("a")?.turns[0]?.text).toBe("Because");
});

test("a hundred conversations are kept", () => {
  const conversations = new Conversations(storage, "key");
  for (let at = 0; at < 103; at += 1) conversations.add(`c${at}`, "main", asked("?", at));
  expect(conversations.list()).toHaveLength(100);
  expect(conversations.list().at(-1)?.id).toBe("c3");
  expect(storage.length).toBe(101);
});

test("where the storage is full the oldest make room", () => {
  storage = new BoundedStorage(6000);
  const conversations = new Conversations(storage, "key");
  for (let at = 0; at < 20; at += 1) conversations.add(`c${at}`, "main", asked("x".repeat(500), at));
  const left = conversations.list().map(({ id }) => id);
  expect(left[0]).toBe("c19");
  expect(left.length).toBeGreaterThan(1);
  expect(left.length).toBeLessThan(10);
  expect(new Conversations(storage, "key").get("c19")).not.toBeNull();
});

test("deleting leaves nothing behind", () => {
  const conversations = new Conversations(storage, "key");
  conversations.add("a", "main", asked("?", 1));
  conversations.add("b", "main", asked("?", 2));
  conversations.remove("a");
  expect(conversations.get("a")).toBeNull();
  conversations.removeAll();
  expect([storage.length, storage.getItem("atoll.history.key.list")]).toEqual([1, "[]"]);
});

test("memory holds what was found for the last conversations only, and for those that are being answered", () => {
  const conversations = new Conversations(storage, "key1");
  const evidence = [{ text: "found" } as Evidence];
  conversations.add("busy", "main", asked("still?", 1, { evidence, state: "writing" }));
  for (let at = 0; at < 20; at += 1)
    conversations.add(`c${at}`, "main", asked(`q${at}`, 2 + at, { evidence }));
  const found = (id: string) => conversations.get(id)?.turns[0]?.evidence;
  expect(found("busy")).toEqual(evidence);
  expect(found("c19")).toEqual(evidence);
  expect(found("c0")).toEqual([]);
  expect(conversations.get("c0")).toBe(conversations.get("c0"));
});
