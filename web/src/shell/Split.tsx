import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";

import { useTexts } from "@/texts";

import styles from "./Split.module.css";

interface SplitProps {
  /** What the side holds. */
  label: string;
  children: ReactNode;
  side: ReactNode | null;
  onClose: () => void;
}

const KEPT = "atoll.split";
const [LEAST, MOST, STEP] = [25, 75, 3];

/** Something, and something beside it; the border between them can be moved. On narrow screens the side covers all. */
export function Split({ label, children, side, onClose }: SplitProps) {
  const t = useTexts();
  const place = useRef<HTMLDivElement>(null);
  const aside = useRef<HTMLElement>(null);
  const [share, setShare] = useState(() => bounded(Number(localStorage.getItem(KEPT) ?? 54)));
  const isOpen = side !== null;

  useEffect(() => {
    localStorage.setItem(KEPT, String(share));
  }, [share]);
  // Where the side covers everything, the focus goes there, and Escape leads back.
  useEffect(() => {
    if (!isOpen || getComputedStyle(aside.current ?? document.body).position !== "fixed") return;
    const before = document.activeElement;
    aside.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, [isOpen]);

  function drag(event: PointerEvent) {
    if (event.buttons !== 1 || place.current === null) return;
    const { left, right, width } = place.current.getBoundingClientRect();
    const isMirrored = getComputedStyle(place.current).direction === "rtl";
    const part = isMirrored ? event.clientX - left : right - event.clientX;
    setShare(bounded((100 * part) / width));
  }
  function onKeyDown(event: KeyboardEvent) {
    const isMirrored = getComputedStyle(event.currentTarget).direction === "rtl";
    const step = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    setShare((now) => bounded(now + (isMirrored ? -step : step)));
  }

  return (
    <div
      ref={place}
      className={styles.split}
      style={{ gridTemplateColumns: isOpen ? `1fr auto ${share}%` : "1fr" }}
    >
      <div className={styles.main}>{children}</div>
      {isOpen ? (
        <>
          <div
            className={styles.border}
            role="separator"
            aria-orientation="vertical"
            aria-label={t.shell.moveBorder}
            aria-valuenow={Math.round(share)}
            aria-valuemin={LEAST}
            aria-valuemax={MOST}
            // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            tabIndex={0}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={drag}
            onKeyDown={onKeyDown}
          />
          {/* Escape closes it from wherever the focus is inside. */}
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
          <aside
            ref={aside}
            className={styles.side}
            aria-label={label}
            tabIndex={-1}
            onKeyDown={(event) => event.key === "Escape" && onClose()}
          >
            {side}
          </aside>
        </>
      ) : null}
    </div>
  );
}

function bounded(share: number): number {
  return Number.isFinite(share) ? Math.min(MOST, Math.max(LEAST, share)) : 54;
}
