import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";

import type { Box } from "@/ask/answer";
import { Button } from "@/design/Button";
import { Skeleton } from "@/design/Empty";
import { Notice } from "@/design/Notice";
import { useTexts } from "@/texts";

import { around, placed, resolutionFor, type Size } from "./geometry";
import { HeatMap } from "./HeatMap";
import styles from "./PageView.module.css";
import { imageOf, pageQuery } from "./queries";

interface PageViewProps {
  kb: string;
  document: string;
  name: string;
  page: number;
  marks: readonly Box[];
  frame: readonly Box[];
  /** A name for what is marked: marks that are the same place have the same one. */
  markId: string;
  /** 1: the page is as wide as its place. */
  zoom: number;
  /** The question that the page's heat map answers, or null for none. */
  heat: string | null;
  onKeyDown?: (event: KeyboardEvent) => void;
  fallback: (error: unknown) => ReactNode;
}

const A4: Size = { width: 595, height: 842 };

/** A page as a picture, the marked places over it, scrolled to the first of them. */
export function PageView(props: PageViewProps) {
  const { kb, document, name, page, marks, frame, markId, zoom, heat, onKeyDown, fallback } = props;
  const t = useTexts();
  const { data, error } = useQuery(pageQuery(kb, document, page));
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const size: Size = data ?? A4;
  // A page that lies on its side may take the whole width, one on its feet at most what a screen shows well.
  const shown = Math.min(width, 1100) * zoom;
  const dpi = resolutionFor(shown * window.devicePixelRatio, size);
  const source = imageOf(kb, document, page, dpi);
  const [loaded, setLoaded] = useState<string | null>(null);
  const [broken, setBroken] = useState<string | null>(null);
  const key = `${document}/${page}`;

  useLayoutEffect(() => {
    const element = place.current;
    const target = around(marks);
    if (element === null || data === undefined || shown === 0) return;
    const scale = shown / data.width;
    const top = target === null ? 0 : target[1] * scale - element.clientHeight * 0.3;
    const left = target === null ? 0 : ((target[0] + target[2]) / 2) * scale - element.clientWidth / 2;
    element.scrollTo({ top, left });
    // A new mark is scrolled to; a change of zoom keeps what is looked at by the same rule.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [markId, data, shown]);

  if (error !== null && data === undefined) return <>{fallback(error)}</>;
  return (
    // The keyboard moves the page, so that its place can be reached by it.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      ref={place}
      className={styles.place}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      role="region"
      aria-label={t.page.region(name, page)}
      onKeyDown={onKeyDown}
    >
      <div className={styles.sheet} style={{ width: shown, aspectRatio: `${size.width} / ${size.height}` }}>
        {loaded?.startsWith(key) ? null : (
          <div className={styles.waiting}>
            {broken === source ? (
              <Notice
                tone="bad"
                actions={<Button onClick={() => setBroken(null)}>{t.shell.tryAgain}</Button>}
              >
                {t.page.notDrawn}
              </Notice>
            ) : (
              <Skeleton lines={9} label={t.page.loading} />
            )}
          </div>
        )}
        {broken === source ? null : (
          <img
            key={key}
            className={styles.image}
            src={source}
            alt={t.page.image(name, page)}
            draggable={false}
            onLoad={() => setLoaded(`${key}/${dpi}`)}
            onError={() => setBroken(source)}
          />
        )}
        {heat === null ? null : <HeatMap kb={kb} document={document} page={page} question={heat} />}
        {data === undefined ? null : (
          <>
            {frame.map((box, at) => (
              <span key={`frame ${at}`} className={styles.frame} data-frame="" style={placed(box, size)} />
            ))}
            {marks.map((box, at) => (
              <span
                key={`${markId} ${at}`}
                className={styles.mark}
                data-mark={markId}
                style={placed(box, size)}
              />
            ))}
          </>
        )}
      </div>
    </div>
  );
}

/** The width of an element's inside, also after it changed. */
function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watched = element.current;
    if (watched === null) return;
    const measure = () => {
      const { paddingInlineStart, paddingInlineEnd } = getComputedStyle(watched);
      setWidth(
        watched.clientWidth - Number.parseFloat(paddingInlineStart) - Number.parseFloat(paddingInlineEnd),
      );
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(watched);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
