import * as HoverCard from "@radix-ui/react-hover-card";

import { useState } from "react";

import { useTexts } from "@/texts";

import type { Evidence } from "./answer";
import styles from "./CitationMark.module.css";
import { excerpt } from "./excerpt";

interface CitationMarkProps {
  n: number;
  evidence: Evidence | undefined;
  /** The characters of the passage that the sentence rests on. */
  span: [number, number] | null;
  onFollow: () => void;
}

const CHARACTERS_AROUND = 140;

/** The number behind a sentence: pointed at it shows the source's words, followed it opens the page. */
export function CitationMark({ n, evidence, span, onFollow }: CitationMarkProps) {
  const t = useTexts();
  const [isOpen, setOpen] = useState(false);
  // Whoever follows the number wants the page, and not its preview over it.
  const [isQuiet, setQuiet] = useState(false);
  const button = (
    <button
      type="button"
      className={styles.mark}
      data-citation={n}
      onClick={() => {
        setQuiet(true);
        onFollow();
      }}
      onPointerEnter={() => setQuiet(false)}
    >
      {n}
    </button>
  );
  if (evidence === undefined) return button;
  const [before, marked, after] = excerpt(evidence.text, span, CHARACTERS_AROUND);
  return (
    <HoverCard.Root openDelay={250} closeDelay={80} open={isOpen && !isQuiet} onOpenChange={setOpen}>
      <HoverCard.Trigger asChild>{button}</HoverCard.Trigger>
      <HoverCard.Portal>
        <HoverCard.Content className={styles.card} side="top" sideOffset={6} collisionPadding={8}>
          <p className={styles.where}>
            <bdi>{evidence.document}</bdi> · {t.page.page(evidence.page)}
          </p>
          <p className={styles.line} dir="auto">
            {before}
            <mark>{marked}</mark>
            {after}
          </p>
        </HoverCard.Content>
      </HoverCard.Portal>
    </HoverCard.Root>
  );
}
