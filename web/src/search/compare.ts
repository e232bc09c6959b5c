import type { Evidence } from "@/ask/answer";
import type { Mode } from "@/api/schema";

/** What one way to search found. */
export interface Found {
  mode: Mode;
  evidence: readonly Evidence[];
}

/** Which piece of which document it is, whatever way found it. */
function identity({ kind, document_id, passage_id, page }: Evidence): string {
  return passage_id ?? `${kind} ${document_id} ${page}`;
}

/** Returns at which rank each of the other ways found the same piece. */
export function elsewhere(
  piece: Evidence,
  mode: Mode,
  all: readonly Found[],
): { mode: Mode; rank: number }[] {
  const wanted = identity(piece);
  return all
    .filter((other) => other.mode !== mode)
    .flatMap((other) => {
      const same = other.evidence.find((each) => identity(each) === wanted);
      return same === undefined ? [] : [{ mode: other.mode, rank: same.rank }];
    });
}
