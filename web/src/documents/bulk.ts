/** How a piece of work on many documents gets on. */
export interface Progress {
  done: number;
  total: number;
}

export interface BulkOutcome {
  done: number;
  failed: number;
  /** Why the first that failed did so. */
  error: unknown;
}

const AT_ONCE = 4;

/** Does the same to many, a few at a time and in their order; what is refused for one stops no other. */
export async function toAll<T>(
  items: readonly T[],
  act: (item: T) => Promise<unknown>,
  onProgress: (progress: Progress) => void,
): Promise<BulkOutcome> {
  const outcome: BulkOutcome = { done: 0, failed: 0, error: null };
  const rest = [...items];
  async function work() {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) {
      try {
        await act(item);
        outcome.done += 1;
      } catch (error) {
        outcome.error ??= error;
        outcome.failed += 1;
      }
      onProgress({ done: outcome.done + outcome.failed, total: items.length });
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}
