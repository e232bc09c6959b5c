import { useState } from "react";

import { Button } from "@/design/Button";
import { Working } from "@/design/Empty";
import { Notice, ProblemNotice } from "@/design/Notice";
import { problemOf, Unreachable } from "@/api/problem";
import type { ProblemBody } from "@/api/problem";
import { hitOf, hitsOf, indexOf, type Hit } from "@/page/hits";
import { useFormats, useTexts } from "@/texts";

import { type Evidence, isOver, type Turn, warningText } from "./answer";
import { AnswerText } from "./AnswerText";
import { FilterChips } from "./FilterChips";
import { EvidenceCard } from "./Evidence";
import styles from "./TurnView.module.css";
import { TurnActions } from "./TurnActions";
import { Understood } from "./Understood";

interface TurnViewProps {
  kb: string;
  turn: Turn;
  /** The hit that is open beside the answer, if it is one of this turn's. */
  open: Hit | null;
  onOpen: (hits: Hit[], at: number) => void;
  onAsk: (question: string, followsUp: boolean) => void;
  onStop: () => void;
  onChange: (part: Partial<Turn>) => void;
}

/** A question, its answer, and everything the answer rests on. */
export function TurnView({ kb, turn, open, onOpen, onAsk, onStop, onChange }: TurnViewProps) {
  const t = useTexts();
  const follow = (n: number, sentence: number | null) => {
    const hits = hitsOf(turn.sentences, turn.citations);
    onOpen(hits, indexOf(hits, sentence, n));
  };
  return (
    <article className={styles.turn} data-turn={turn.state} aria-busy={!isOver(turn)}>
      <h2 className={styles.question} dir="auto">
        {turn.question}
      </h2>
      {turn.understood !== null && turn.understood !== turn.question ? (
        <Understood text={turn.understood} onAsk={(question) => onAsk(question, false)} />
      ) : null}
      <FilterChips chosen={turn.wishes.filters} />
      <Progress turn={turn} onStop={onStop} />
      <div aria-live="polite" className={styles.live}>
        {turn.refusal === null ? (
          <AnswerText turn={turn} open={open?.sentence ?? null} onFollow={follow} />
        ) : (
          <Refused turn={turn} />
        )}
      </div>
      {turn.problem === null ? null : (
        <ProblemNotice error={errorOf(turn.problem)} onRetry={() => onAsk(turn.question, turn.followsUp)} />
      )}
      {turn.state === "stopped" ? <Notice>{t.ask.stopped}</Notice> : null}
      {turn.warnings.map((warning) => (
        <Notice key={warningText(warning)} tone="warn">
          {warningText(warning)}
        </Notice>
      ))}
      {turn.state === "done" ? (
        <>
          <TurnActions kb={kb} turn={turn} onAsk={onAsk} onChange={onChange} />
          <Sources turn={turn} onOpen={onOpen} onFollow={(n) => follow(n, null)} />
        </>
      ) : null}
    </article>
  );
}

function errorOf(problem: ProblemBody): Error {
  return problem.status === 0 ? new Unreachable(null) : problemOf(problem, problem.status ?? 500);
}

function Progress({ turn, onStop }: { turn: Turn; onStop: () => void }) {
  const t = useTexts();
  const formats = useFormats();
  if (isOver(turn)) return null;
  const text =
    turn.state === "searching" ? t.ask.searching : t.ask.writing(formats.number(turn.evidence.length));
  return (
    <div className={styles.progress}>
      <Working label={text}>{text}</Working>
      <Button small look="quiet" onClick={onStop}>
        {t.ask.stop}
      </Button>
    </div>
  );
}

function Refused({ turn }: { turn: Turn }) {
  const t = useTexts();
  const { refusal } = turn;
  if (refusal === null) return null;
  const missing = refusal.missing ?? [];
  return (
    <Notice tone="warn" title={t.ask.refusals[refusal.reason] ?? t.ask.refused}>
      <p dir="auto">{refusal.message ?? turn.text}</p>
      {missing.length > 0 ? (
        <p>
          {t.ask.missing} <strong>{missing.join(" · ")}</strong>
        </p>
      ) : null}
    </Notice>
  );
}

interface SourcesProps {
  turn: Turn;
  onOpen: (hits: Hit[], at: number) => void;
  onFollow: (n: number) => void;
}

/** What an answer cites, and what else was found; for a refusal the nearest passages. */
function Sources({ turn, onOpen, onFollow }: SourcesProps) {
  const t = useTexts();
  const [isOpen, setOpen] = useState(false);
  const cited = new Set(turn.citations.map(({ evidence }) => keyOf(evidence)));
  const others = turn.evidence.filter((evidence) => !cited.has(keyOf(evidence)));
  const isRefusal = turn.refusal !== null;
  const openOther = (at: number) => onOpen(others.map(hitOf), at);
  return (
    <div className={styles.sources}>
      {turn.citations.length > 0 ? (
        <>
          <h3 className={styles.heading}>{t.ask.sources}</h3>
          <ol className={styles.list}>
            {turn.citations.map(({ n, evidence }) => (
              <EvidenceCard key={n} n={n} evidence={evidence} onOpen={() => onFollow(n)} />
            ))}
          </ol>
        </>
      ) : null}
      {others.length === 0 ? null : isRefusal ? (
        <>
          <h3 className={styles.heading}>{t.ask.nearest}</h3>
          <Others evidence={others} onOpen={openOther} />
        </>
      ) : (
        <details
          className={styles.others}
          open={isOpen}
          onToggle={(event) => setOpen(event.currentTarget.open)}
        >
          <summary>{t.ask.others(others.length)}</summary>
          {isOpen ? <Others evidence={others} onOpen={openOther} /> : null}
        </details>
      )}
    </div>
  );
}

function Others({ evidence, onOpen }: { evidence: Evidence[]; onOpen: (at: number) => void }) {
  return (
    <ol className={styles.list}>
      {evidence.map((each, at) => (
        <EvidenceCard key={keyOf(each)} evidence={each} onOpen={() => onOpen(at)} />
      ))}
    </ol>
  );
}

function keyOf({ kind, document_id, passage_id, page, entity, relation }: Evidence): string {
  return [
    kind,
    document_id,
    passage_id ?? page,
    entity?.id ?? "",
    relation ? `${relation.head}-${relation.tail}` : "",
  ].join("/");
}
