import { ChevronDown } from "lucide-react";
import { useId, useState } from "react";

import { useFormats, useTexts } from "@/texts";

import type { Evidence } from "./answer";
import styles from "./Evidence.module.css";
import { excerpt } from "./excerpt";

interface EvidenceCardProps {
  evidence: Evidence;
  /** The citation's number, where the list is that of an answer's sources. */
  n?: number;
  /** What else is to be said about it, below its beginning. */
  note?: string | null;
  onOpen: () => void;
}

const CHARACTERS = 110;

/** A piece of a document: where it stands, how it begins, and why it was found. */
export function EvidenceCard({ evidence, n, note, onOpen }: EvidenceCardProps) {
  const t = useTexts();
  const [isOpen, setOpen] = useState(false);
  const details = useId();
  const [beginning] = excerpt(evidence.text, null, CHARACTERS);
  return (
    <li className={styles.card}>
      <button type="button" className={styles.place} onClick={onOpen}>
        {n === undefined ? null : <span className={styles.number}>{n}</span>}
        <span className={styles.words}>
          <span className={styles.where}>
            <bdi className={styles.document}>{evidence.document}</bdi>
            <span>{t.page.page(evidence.page)}</span>
            {evidence.kind === "passage" ? null : <span>{t.ask.kinds[evidence.kind]}</span>}
          </span>
          <span className={styles.line} dir="auto">
            {evidence.relation
              ? `${evidence.relation.head} — ${evidence.relation.tail}: ${beginning}`
              : evidence.text === ""
                ? t.ask.noText
                : beginning}
          </span>
          {note ? <span className={styles.note}>{note}</span> : null}
        </span>
      </button>
      <button
        type="button"
        className={styles.why}
        aria-expanded={isOpen}
        aria-controls={details}
        onClick={() => setOpen(!isOpen)}
      >
        {t.ask.why}
        <ChevronDown size={14} aria-hidden="true" />
      </button>
      {isOpen ? (
        <div id={details} className={styles.details}>
          <WhyThis evidence={evidence} />
        </div>
      ) : null}
    </li>
  );
}

/** Which signals found a piece of evidence, and the way through the graph that led to it. */
export function WhyThis({ evidence }: { evidence: Evidence }) {
  const t = useTexts();
  const formats = useFormats();
  const signals = Object.entries(evidence.signals).toSorted(([, one], [, other]) => one.rank - other.rank);
  return (
    <>
      {signals.length > 0 ? (
        <table className={styles.signals}>
          <thead>
            <tr>
              <th scope="col">{t.ask.signal}</th>
              <th scope="col">{t.ask.rank}</th>
              <th scope="col">{t.ask.score}</th>
            </tr>
          </thead>
          <tbody>
            {signals.map(([name, signal]) => (
              <tr key={name}>
                <th scope="row" title={t.ask.signalMeans[name]}>
                  {t.ask.signals[name] ?? name}
                </th>
                <td>{formats.number(signal.rank)}</td>
                <td>{signal.score === null ? "–" : formats.decimal(signal.score, 3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
      {evidence.path && evidence.path.length > 0 ? (
        <p>
          {t.ask.path} {evidence.path.map(({ entity }) => entity).join(" → ")}
        </p>
      ) : null}
      <p className={styles.total}>
        {t.ask.placed(formats.number(evidence.rank), formats.decimal(evidence.score, 3))}
        {evidence.also_in.length > 0 ? ` · ${t.ask.alsoIn(evidence.also_in.length)}` : ""}
      </p>
    </>
  );
}
