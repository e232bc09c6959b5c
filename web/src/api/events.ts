/** One server-sent event. */
export interface ServerEvent {
  name: string;
  data: string;
  id: string | null;
}

/** Collects text that arrives in pieces and returns the events that are whole. */
export class EventReader {
  #waiting = "";

  read(text: string): ServerEvent[] {
    this.#waiting += text;
    const blocks = this.#waiting.split(/\r?\n\r?\n/);
    this.#waiting = blocks.pop() ?? "";
    return blocks.map(eventOf).filter((event) => event !== null);
  }
}

function eventOf(block: string): ServerEvent | null {
  const event: ServerEvent = { name: "message", data: "", id: null };
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const at = line.indexOf(":");
    // A line that begins with a colon is a comment: a sign of life.
    if (at === 0) continue;
    const field = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
    if (field === "event") event.name = value;
    else if (field === "data") data.push(value);
    else if (field === "id") event.id = value;
  }
  event.data = data.join("\n");
  return data.length > 0 ? event : null;
}

/** Yields the events of a response until it ends. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent, void, undefined> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const events = new EventReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* events.read(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
