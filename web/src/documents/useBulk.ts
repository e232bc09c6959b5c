import { useState } from "react";

import { Problem } from "@/api/problem";
import { say } from "@/design/Toasts";
import { useTexts } from "@/texts";

import { type Progress, toAll } from "./bulk";

/** Does something to many, one after the other and a few at a time; at the end it is said what came of it. */
export type Run = <T>(items: readonly T[], act: (item: T) => Promise<unknown>) => Promise<void>;

/** Work on many documents, and how far it is; null while there is none. */
export function useBulk(): { progress: Progress | null; run: Run } {
  const t = useTexts();
  const [progress, setProgress] = useState<Progress | null>(null);
  return {
    progress,
    async run(items, act) {
      setProgress({ done: 0, total: items.length });
      const { done, failed, error } = await toAll(items, act, setProgress);
      setProgress(null);
      const reason = error instanceof Problem ? error.detail : t.shell.unreachable;
      say(failed === 0 ? t.documents.bulkDone(done) : t.documents.bulkFailed(done, failed, reason));
    },
  };
}
