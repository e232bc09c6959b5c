import { ArrowUp, CornerDownRight, Square } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useEffect, useImperativeHandle, useRef, useState } from "react";

import { IconButton } from "@/design/Button";
import { InlineSelect } from "@/design/Field";
import { useTexts } from "@/texts";

import type { Wishes } from "./answer";
import styles from "./Composer.module.css";
import { FilterChips } from "./FilterChips";
import { FilterPanel } from "./FilterPanel";
import { ANSWERS, MODES } from "./wishes";

const MOST_CHARACTERS = 8000;
const DRAFT = "atoll.draft";

interface ComposerProps {
  wishes: Wishes;
  onWishes: (wishes: Wishes) => void;
  busy: boolean;
  /** The question that this one would follow up, or null for the first of a conversation. */
  follows: string | null;
  onAsk: (question: string, followsUp: boolean) => void;
  onStop: () => void;
  ref?: React.Ref<{ focus: () => void }>;
}

/** Where a question is written, and how it is to be asked. What is written survives a reload and a sign-in. */
export function Composer({ wishes, onWishes, busy, follows, onAsk, onStop, ref }: ComposerProps) {
  const t = useTexts();
  const [text, setText] = useState(() => sessionStorage.getItem(DRAFT) ?? "");
  const area = useRef<HTMLTextAreaElement>(null);
  const [alone, setAlone] = useState(false);
  const question = text.trim();
  const followsUp = follows !== null && !alone;
  useImperativeHandle(ref, () => ({ focus: () => area.current?.focus() }));
  useEffect(() => {
    sessionStorage.setItem(DRAFT, text);
  }, [text]);

  function submit(event?: FormEvent) {
    event?.preventDefault();
    if (question === "" || busy) return;
    setText("");
    setAlone(false);
    onAsk(question, followsUp);
  }
  function onKeyDown(event: KeyboardEvent) {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  }

  return (
    <form className={styles.composer} onSubmit={submit}>
      {follows === null ? null : (
        <p className={styles.context}>
          {alone ? (
            <>
              <span>{t.ask.alone}</span>
              <button type="button" onClick={() => setAlone(false)}>
                {t.ask.followAgain}
              </button>
            </>
          ) : (
            <>
              <CornerDownRight size={14} aria-hidden="true" />
              <span>
                {t.ask.follows} <q dir="auto">{follows}</q>
              </span>
              <button type="button" onClick={() => setAlone(true)}>
                {t.ask.askAlone}
              </button>
            </>
          )}
        </p>
      )}
      <FilterChips chosen={wishes.filters} onChange={(filters) => onWishes({ ...wishes, filters })} />
      <div className={styles.grow} data-text={`${text} `}>
        <textarea
          ref={area}
          className={styles.text}
          name="question"
          aria-label={t.ask.question}
          placeholder={followsUp ? t.ask.placeholderFollowUp : t.ask.placeholder}
          rows={1}
          maxLength={MOST_CHARACTERS}
          dir="auto"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </div>
      <div className={styles.tools}>
        <InlineSelect
          label={t.ask.mode}
          value={wishes.mode}
          choices={MODES.map((value) => ({ value, label: t.ask.modes[value] }))}
          onChange={(mode) => onWishes({ ...wishes, mode })}
        />
        <InlineSelect
          label={t.ask.answerMode}
          value={wishes.answer}
          choices={ANSWERS.map((value) => ({ value, label: t.ask.answers[value] }))}
          onChange={(answer) => onWishes({ ...wishes, answer })}
        />
        <FilterPanel chosen={wishes.filters} onChange={(filters) => onWishes({ ...wishes, filters })} />
        {busy ? (
          <IconButton
            icon={Square}
            size={15}
            className={styles.send}
            label={t.ask.stop}
            tipSide="above"
            onClick={onStop}
          />
        ) : (
          <IconButton
            icon={ArrowUp}
            type="submit"
            className={styles.send}
            label={t.ask.ask}
            tipSide="above"
            disabled={question === ""}
          />
        )}
      </div>
    </form>
  );
}
