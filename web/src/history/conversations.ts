import { isOver, type Turn } from "@/ask/answer";

export interface Conversation {
  id: string;
  kb: string;
  title: string;
  at: number;
  turns: Turn[];
}

export type Summary = Omit<Conversation, "turns">;

const MOST_CONVERSATIONS = 100;
/** Conversations that stay in memory with all that was found for their answers. */
const MOST_OPEN = 4;
const TITLE_CHARACTERS = 80;
/** Of a refusal the nearest passages are kept; what else was found is found again by asking again. */
const KEPT_EVIDENCE = 5;
const PREFIX = "atoll.history.";

/**
 * What was asked in this browser with one key. It lies in the browser's storage and nowhere else, has a bound, and can
 * be deleted. Turns that are being answered live in memory only.
 */
export class Conversations {
  readonly #storage: Storage;
  readonly #prefix: string;
  readonly #open = new Map<string, Conversation>();
  readonly #listeners = new Set<() => void>();
  #summaries: readonly Summary[];

  constructor(storage: Storage, owner: string) {
    this.#storage = storage;
    this.#prefix = `${PREFIX}${owner}.`;
    this.#summaries = this.#read<Summary[]>("list") ?? [];
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The conversations, newest first. */
  readonly list = (): readonly Summary[] => this.#summaries;

  get(id: string): Conversation | null {
    const known = this.#open.get(id) ?? this.#read<Conversation>(id);
    if (known !== null) this.#hold(known);
    return known;
  }

  /** Adds a turn; the first one makes the conversation. */
  add(id: string, kb: string, turn: Turn): void {
    const known = this.get(id);
    const title = known?.title ?? turn.question.slice(0, TITLE_CHARACTERS);
    this.#put({ id, kb, title, at: turn.at, turns: [...(known?.turns ?? []), turn] });
    this.#keep(id);
  }

  /** Changes a turn. Only a change that is `kept` is written to storage: an answer arrives in many pieces. */
  change(id: string, turn: string, part: Partial<Turn>, kept: boolean): void {
    const known = this.get(id);
    if (known === null) return;
    const turns = known.turns.map((each) => (each.id === turn ? { ...each, ...part } : each));
    this.#put({ ...known, turns });
    if (kept) this.#keep(id);
  }

  remove(id: string): void {
    this.#open.delete(id);
    this.#storage.removeItem(this.#prefix + id);
    this.#setSummaries(this.#summaries.filter((each) => each.id !== id));
  }

  removeAll(): void {
    for (const { id } of this.#summaries) this.remove(id);
  }

  #put(conversation: Conversation): void {
    this.#hold(conversation);
    for (const listener of this.#listeners) listener();
  }

  /** Holds a conversation as the last one that was looked at; what lies in storage and is over need not be held. */
  #hold(conversation: Conversation): void {
    this.#open.delete(conversation.id);
    this.#open.set(conversation.id, conversation);
    for (const [id, { turns }] of this.#open) {
      if (this.#open.size <= MOST_OPEN) return;
      if (id !== conversation.id && turns.every(isOver) && this.#storage.getItem(this.#prefix + id) !== null)
        this.#open.delete(id);
    }
  }

  #keep(id: string): void {
    const known = this.#open.get(id);
    if (known === undefined) return;
    const { turns, ...summary } = known;
    const rest = this.#summaries.filter((each) => each.id !== id);
    const list = [summary, ...rest].toSorted((one, other) => other.at - one.at);
    for (const over of list.splice(MOST_CONVERSATIONS)) this.#storage.removeItem(this.#prefix + over.id);
    this.#write(id, { ...summary, turns: turns.map(withoutWhatIsFoundAgain) }, list);
  }

  /** Writes a conversation; where the storage is full the oldest ones make room. */
  #write(id: string, conversation: Conversation, list: Summary[]): void {
    for (;;) {
      try {
        this.#storage.setItem(this.#prefix + id, JSON.stringify(conversation));
        break;
      } catch {
        const oldest = list.length > 1 ? list.pop() : undefined;
        if (oldest === undefined || oldest.id === id) break;
        this.#storage.removeItem(this.#prefix + oldest.id);
      }
    }
    this.#setSummaries(list);
  }

  #setSummaries(list: readonly Summary[]): void {
    this.#summaries = list;
    try {
      this.#storage.setItem(`${this.#prefix}list`, JSON.stringify(list));
    } catch {
      // Full: the list in memory stays right until the page is left.
    }
    for (const listener of this.#listeners) listener();
  }

  #read<T>(name: string): T | null {
    const text = this.#storage.getItem(this.#prefix + name);
    if (text === null) return null;
    try {
      return JSON.parse(text) as T;
    } catch {
      return null;
    }
  }
}

function withoutWhatIsFoundAgain(turn: Turn): Turn {
  return {
    ...turn,
    state: isOver(turn) ? turn.state : "stopped",
    evidence: turn.refusal === null ? [] : turn.evidence.slice(0, KEPT_EVIDENCE),
  };
}
