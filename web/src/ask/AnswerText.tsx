import { type ReactNode, useMemo } from "react";

import { useTexts } from "@/texts";

import type { Citation, Sentence, Turn } from "./answer";
import styles from "./AnswerText.module.css";
import { CitationMark } from "./CitationMark";
import { inlineOf, type Part, partsOf, type Placed, withoutMarks } from "./parts";

/** Opens the place behind a citation of a sentence. */
export type Follow = (n: number, sentence: number | null) => void;

interface AnswerTextProps {
  turn: Turn;
  /** The sentence whose place is open, if one is. */
  open: number | null;
  onFollow: Follow;
}

/** An answer, sentence by sentence, each with the numbers of what it rests on. */
export function AnswerText({ turn, open, onFollow }: AnswerTextProps) {
  const parts = useMemo(() => partsOf(turn.text, turn.sentences), [turn.text, turn.sentences]);
  if (turn.sentences.length === 0) {
    const arriving = withoutMarks(turn.text);
    return arriving === "" ? null : (
      <div className={styles.answer} dir="auto" data-arriving="">
        {arriving.split(/\n+/).map((line, at) => (
          <p key={at}>
            <Words text={line} />
          </p>
        ))}
      </div>
    );
  }
  return (
    <div className={styles.answer} dir="auto">
      {parts.map((part, at) => (
        <AnswerPart key={at} part={part} citations={turn.citations} open={open} onFollow={onFollow} />
      ))}
    </div>
  );
}

interface PartProps {
  citations: readonly Citation[];
  open: number | null;
  onFollow: Follow;
}

function AnswerPart({ part, ...rest }: PartProps & { part: Part }) {
  if (part.kind === "table") return <AnswerTable part={part} {...rest} />;
  const inside = part.sentences.map((placed) => <AnswerSentence key={placed.at} placed={placed} {...rest} />);
  return part.kind === "item" ? <div className={styles.item}>{inside}</div> : <p dir="auto">{inside}</p>;
}

function AnswerSentence({ placed, ...rest }: PartProps & { placed: Placed }) {
  const t = useTexts();
  const { at, sentence } = placed;
  const names = [
    styles.sentence,
    sentence.supported ? "" : styles.unsupported,
    rest.open === at ? styles.open : "",
  ];
  return (
    <span className={names.filter(Boolean).join(" ")} data-sentence={at} data-supported={sentence.supported}>
      <span className={styles.words}>
        <Words text={sentence.text} />
      </span>
      {sentence.supported ? null : <span className={styles.flag}>{t.ask.unsupported}</span>}
      <Marks at={at} sentence={sentence} {...rest} />{" "}
    </span>
  );
}

function AnswerTable({ part, ...rest }: PartProps & { part: Extract<Part, { kind: "table" }> }) {
  const t = useTexts();
  return (
    // A wide table is scrolled by the keyboard too.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.tablePlace} tabIndex={0} role="region" aria-label={t.ask.table}>
      <table className={styles.table}>
        {part.header.length > 0 ? (
          <thead>
            <tr>
              {part.header.map((cell, at) => (
                <th key={at} scope="col" dir="auto">
                  {cell}
                </th>
              ))}
              <th scope="col">
                <span className="visually-hidden">{t.ask.sources}</span>
              </th>
            </tr>
          </thead>
        ) : null}
        <tbody>
          {part.rows.map(({ at, cells, sentence }) => (
            <tr
              key={at}
              data-sentence={at}
              data-supported={sentence.supported}
              className={rest.open === at ? styles.open : undefined}
            >
              {cells.map((cell, column) => (
                <td key={column} dir="auto">
                  <Words text={cell} />
                </td>
              ))}
              <td className={styles.marks}>
                {sentence.supported ? null : <span className={styles.flag}>{t.ask.unsupported}</span>}
                <Marks at={at} sentence={sentence} {...rest} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Marks({
  at,
  sentence,
  citations,
  onFollow,
}: PartProps & { at: number; sentence: Sentence }): ReactNode {
  return sentence.citations.map((n) => (
    <CitationMark
      key={n}
      n={n}
      evidence={citations.find((citation) => citation.n === n)?.evidence}
      span={sentence.places?.find((place) => place.n === n)?.span ?? null}
      onFollow={() => onFollow(n, at)}
    />
  ));
}

function Words({ text }: { text: string }) {
  return inlineOf(text).map(({ kind, text: words }, at) => {
    if (kind === "strong") return <strong key={at}>{words}</strong>;
    if (kind === "code") return <code key={at}>{words}</code>;
    return <span key={at}>{words}</span>;
  });
}
