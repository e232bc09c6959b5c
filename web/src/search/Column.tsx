import { Terminal } from "lucide-react";

import { addressOf } from "@/api/client";
import type { Mode, SearchIn, SearchOut } from "@/api/schema";
import type { Evidence } from "@/ask/answer";
import { EvidenceCard } from "@/ask/Evidence";
import { IconButton } from "@/design/Button";
import { Skeleton } from "@/design/Empty";
import { Notice, ProblemNotice } from "@/design/Notice";
import { say } from "@/design/Toasts";
import { copyText } from "@/shell/copyText";
import { useFormats, useTexts } from "@/texts";

import { elsewhere, type Found } from "./compare";
import { asCurl } from "./curl";
import styles from "./SearchPage.module.css";

interface ColumnProps {
  kb: string;
  mode: Mode;
  body: SearchIn;
  answer: SearchOut | undefined;
  error: unknown;
  /** What all ways found, to say which of them found the same. */
  found: readonly Found[];
  onOpen: (evidence: readonly Evidence[], at: number) => void;
}

/** What one way to search found, best first, and which other ways found it too. */
export function Column({ kb, mode, body, answer, error, found, onOpen }: ColumnProps) {
  const t = useTexts();
  const formats = useFormats();
  const total = Object.values(answer?.timings_ms ?? {}).reduce((sum, part) => sum + part, 0);
  const command = () => asCurl(new URL(addressOf("search", { kb }), location.origin).href, body);
  const others = (piece: Evidence) =>
    elsewhere(piece, mode, found).map((other) =>
      t.search.place(formats.number(other.rank), t.ask.modes[other.mode]),
    );
  return (
    <section className={styles.column} aria-label={t.ask.modes[mode]} data-mode={mode}>
      <header className={styles.head}>
        <h2>{t.ask.modes[mode]}</h2>
        {answer === undefined ? null : (
          <span className={styles.figures}>
            {t.search.found(
              formats.number(answer.evidence.length),
              formats.number(Math.round(answer.timings_ms["total"] ?? total)),
            )}
          </span>
        )}
        <IconButton
          icon={Terminal}
          size={16}
          label={t.search.curl}
          tipSide="end"
          onClick={() => void copyText(command()).then(() => say(t.search.copied))}
        />
      </header>
      {error === null ? null : <ProblemNotice error={error} />}
      {answer === undefined && error === null ? <Skeleton lines={5} label={t.ask.searching} /> : null}
      {answer?.warnings?.map(({ type, message }) => (
        <Notice key={type} tone="warn">
          {message}
        </Notice>
      ))}
      {answer !== undefined && answer.keywords.length > 0 ? (
        <p className={styles.keywords} dir="auto">
          {t.search.keywords(answer.keywords.join(", "))}
        </p>
      ) : null}
      {answer?.evidence.length === 0 ? <p>{t.search.nothing}</p> : null}
      <ol className={styles.results}>
        {answer?.evidence.map((piece, at) => (
          <EvidenceCard
            key={`${piece.rank}`}
            evidence={piece}
            n={piece.rank}
            note={
              found.length < 2
                ? null
                : others(piece).length > 0
                  ? t.search.elsewhere(others(piece).join(", "))
                  : t.search.nowhereElse
            }
            onOpen={() => onOpen(answer.evidence, at)}
          />
        ))}
      </ol>
    </section>
  );
}
