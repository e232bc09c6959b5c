import { expect, test } from "vitest";

import { toAll } from "./bulk";
import { relabelled } from "./BulkLabelsDialog";
import { changed } from "./EditDialog";
import { canCancel, canReadAgain, canRetry, isReadAgain } from "./standing";

test("what is refused for one stops no other, and the first reason is told", async () => {
  let [active, most] = [0, 0];
  const told: number[] = [];
  const act = async (item: number) => {
    most = Math.max(most, (active += 1));
    await Promise.resolve();
    active -= 1;
    if (item % 3 === 0) throw new Error(`not ${item}`);
  };
  const outcome = await toAll([1, 2, 3, 4, 5, 6, 7], act, ({ done }) => told.push(done));
  expect(outcome).toMatchObject({ done: 5, failed: 2, error: new Error("not 3") });
  expect([most, told]).toEqual([4, [1, 2, 3, 4, 5, 6, 7]]);
});

const stage = (name: string, state: string) => ({ name, state }) as never;

test("a ready document whose stages go on is being read again; labels on their way to the index are no reading", () => {
  const ready = { status: "ready", error: null, stages: [stage("parse", "done")] } as const;
  expect([isReadAgain(ready), canReadAgain(ready), canCancel(ready), canRetry(ready)]).toEqual([
    false,
    true,
    false,
    false,
  ]);
  const again = { ...ready, stages: [stage("parse", "done"), stage("chunk", "running")] };
  expect([isReadAgain(again), canReadAgain(again), canCancel(again)]).toEqual([true, false, true]);
  expect(isReadAgain({ ...ready, stages: [stage("relabel", "waiting")] })).toBe(false);
  const error = { type: "DocumentUnreadable", stage: "parse", page: null, message: "broken" } as const;
  expect(canRetry({ ...ready, error })).toBe(true);
  expect(canRetry({ ...ready, status: "cancelled" })).toBe(true);
});

test("labels are added and taken off at each document by itself", () => {
  const change = { add: ["board"], remove: ["staff"] };
  expect(relabelled({ labels: ["staff", "north"] }, change)).toEqual(["north", "board"]);
  expect(relabelled({ labels: ["board"] }, change)).toEqual(["board"]);
});

test("only what a person changed of a document is sent", () => {
  const document = { name: "a.txt", source: "north", labels: ["b", "a"], metadata: { year: 2024 } };
  const form = { name: "a.txt", source: "north", labels: ["a", "b"], metadata: { year: 2024 } };
  expect(changed(document, form)).toEqual({});
  expect(changed(document, { ...form, name: "b.txt", source: "", metadata: {} })).toEqual({
    name: "b.txt",
    source: null,
    metadata: {},
  });
});
