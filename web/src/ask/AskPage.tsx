import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";

import { useConversation, useConversations } from "@/history";
import type { Hit } from "@/page/hits";
import { Split } from "@/shell/Split";
import { places } from "@/shell/places";
import { useTexts } from "@/texts";

import { newTurn, type Wishes } from "./answer";
import { ask, isBusy, stop } from "./asking";
import styles from "./AskPage.module.css";
import { Composer } from "./Composer";
import { TurnView } from "./TurnView";
import { Welcome } from "./Welcome";
import { firstWishes, rememberWishes } from "./wishes";

const PagePane = lazy(async () => ({ default: (await import("@/page/PagePane")).PagePane }));

interface OpenPlace {
  turn: string;
  hits: Hit[];
  at: number;
}

/** Questions to a knowledge base, their answers, and the page behind a citation. */
export function AskPage({ kb, id }: { kb: string; id: string | null }) {
  const t = useTexts();
  const [, navigate] = useLocation();
  const conversations = useConversations();
  const conversation = useConversation(id);
  const turns = conversation?.turns ?? [];
  const [wishes, setWishes] = useState<Wishes>(() => turns.at(-1)?.wishes ?? firstWishes());
  const [open, setOpen] = useState<OpenPlace | null>(null);
  const composer = useRef<{ focus: () => void }>(null);
  const end = useRef<HTMLDivElement>(null);
  const busy = isBusy(turns);
  const lastTurn = turns.at(-1)?.id;

  useEffect(() => {
    composer.current?.focus();
  }, [id]);
  // A new question is brought into sight; an answer that grows moves nothing under the reader's eyes.
  useEffect(() => {
    if (lastTurn !== undefined) end.current?.scrollIntoView({ block: "end" });
  }, [lastTurn]);

  function send(question: string, followsUp: boolean) {
    const conversationId = id ?? crypto.randomUUID();
    const turn = newTurn(question, wishes, followsUp);
    conversations.add(conversationId, kb, turn);
    if (id === null) navigate(places.ask(kb, conversationId));
    void ask(conversations, conversationId, turn);
  }
  const close = useCallback(() => setOpen(null), []);
  const move = useCallback((at: number) => setOpen((now) => (now === null ? null : { ...now, at })), []);
  const openTurn = turns.find((turn) => turn.id === open?.turn);

  return (
    <Split
      label={t.page.pane}
      onClose={close}
      side={
        open === null ? null : (
          <Suspense fallback={null}>
            <PagePane
              key={open.turn}
              kb={kb}
              hits={open.hits}
              at={open.at}
              onMove={move}
              question={openTurn?.understood ?? openTurn?.question ?? null}
              onClose={close}
            />
          </Suspense>
        )
      }
    >
      <div className={styles.page}>
        <div className={styles.scroll}>
          <div className={styles.column}>
            {turns.length === 0 ? (
              <Welcome kb={kb} />
            ) : (
              <h1 className="visually-hidden">{conversation?.title}</h1>
            )}
            {turns.map((turn) => (
              <TurnView
                key={turn.id}
                kb={kb}
                turn={turn}
                open={open?.turn === turn.id ? (open.hits[open.at] ?? null) : null}
                onOpen={(hits, at) => setOpen({ turn: turn.id, hits, at })}
                onAsk={send}
                onStop={() => stop(turn.id)}
                onChange={(part) => id !== null && conversations.change(id, turn.id, part, true)}
              />
            ))}
            <div ref={end} />
          </div>
        </div>
        <div className={styles.dock}>
          <Composer
            ref={composer}
            wishes={wishes}
            onWishes={(next) => {
              rememberWishes(next);
              setWishes(next);
            }}
            busy={busy}
            follows={turns.at(-1)?.question ?? null}
            onAsk={send}
            onStop={() => lastTurn !== undefined && stop(lastTurn)}
          />
          <p className={styles.note}>{t.ask.note}</p>
        </div>
      </div>
    </Split>
  );
}
