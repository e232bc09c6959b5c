import { expect, test } from "vitest";

import { EventReader, eventsOf } from "./events";

test("events that arrive in pieces are whole when they are told", () => {
  const reader = new EventReader();
  expect(reader.read("event: del")).toEqual([]);
  expect(reader.read('ta\ndata: {"text":"a"}\n')).toEqual([]);
  expect(reader.read("\nid: 7\nevent: document\ndata: {}\n\n: keep-alive\n\n")).toEqual([
    { name: "delta", data: '{"text":"a"}', id: null },
    { name: "document", data: "{}", id: "7" },
  ]);
});

test("line ends of any kind, data of several lines and a colon inside", () => {
  const reader = new EventReader();
  expect(reader.read("data: a: b\r\ndata:c\r\n\r\n")).toEqual([
    { name: "message", data: "a: b\nc", id: null },
  ]);
});

test("a character that is cut between two pieces is read whole", async () => {
  const bytes = new TextEncoder().encode("data: ü\n\n");
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes.slice(0, 7));
      controller.enqueue(bytes.slice(7));
      controller.close();
    },
  });
  const found = [];
  for await (const event of eventsOf(new Response(body))) found.push(event.data);
  expect(found).toEqual(["ü"]);
});
