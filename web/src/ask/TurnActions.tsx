import { Check, Copy, Download, RotateCcw, X } from "lucide-react";
import { useState } from "react";

import { IconButton } from "@/design/Button";
import { Menu, MenuItem } from "@/design/Menu";
import { say } from "@/design/Toasts";
import { copyText } from "@/shell/copyText";
import { useFormats, useTexts } from "@/texts";

import type { Turn, Verdict } from "./answer";
import { markdownOf } from "./export/markdown";
import styles from "./TurnActions.module.css";
import { VerdictDialog } from "./VerdictDialog";

interface TurnActionsProps {
  kb: string;
  turn: Turn;
  onAsk: (question: string, followsUp: boolean) => void;
  onChange: (part: Partial<Turn>) => void;
}

/** What can be done with a finished answer, and how it came about. */
export function TurnActions({ kb, turn, onAsk, onChange }: TurnActionsProps) {
  const t = useTexts();
  const formats = useFormats();
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const total =
    turn.timings.total ?? Object.values(turn.timings).reduce((sum, each) => Math.max(sum, each), 0);

  async function exportAs(kind: "html" | "markdown") {
    const { saveHtml, saveMarkdown } = await import("./export");
    await (kind === "html" ? saveHtml : saveMarkdown)(kb, turn, t, formats);
  }

  return (
    <div className={styles.bar}>
      <IconButton
        icon={Copy}
        size={16}
        label={t.ask.copy}
        onClick={() => void copyText(markdownOf(turn, t)).then(() => say(t.ask.copied))}
      />
      <Menu trigger={<IconButton icon={Download} size={16} label={t.ask.export} />}>
        <MenuItem onSelect={() => void exportAs("html")}>{t.ask.exportHtml}</MenuItem>
        <MenuItem onSelect={() => void exportAs("markdown")}>{t.ask.exportMarkdown}</MenuItem>
      </Menu>
      <IconButton
        icon={RotateCcw}
        size={16}
        label={t.ask.again}
        onClick={() => onAsk(turn.question, turn.followsUp)}
      />
      <span className={styles.rule} />
      <IconButton
        icon={Check}
        size={17}
        label={t.ask.right}
        pressed={turn.verdict === "right"}
        onClick={() => setVerdict("right")}
      />
      <IconButton
        icon={X}
        size={17}
        label={t.ask.wrong}
        pressed={turn.verdict === "wrong"}
        onClick={() => setVerdict("wrong")}
      />
      <p className={styles.about}>
        {turn.answeredBy === null ? "" : t.ask.answeredBy[turn.answeredBy]}
        {total > 0 ? ` · ${formats.seconds(total / 1000)}` : ""}
      </p>
      {verdict === null ? null : (
        <VerdictDialog
          turn={turn}
          verdict={verdict}
          onDone={(kept) => {
            if (kept) onChange({ verdict });
            setVerdict(null);
          }}
        />
      )}
    </div>
  );
}
