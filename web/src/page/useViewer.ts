import { type KeyboardEvent, useCallback, useState } from "react";

import type { Hit } from "./hits";

const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3] as const;

/** Where a reader is: which page of which document, which hit is marked, how large, and what is shown beside it. */
export interface Viewer {
  hit: Hit;
  at: number;
  count: number;
  page: number;
  zoom: number;
  side: "none" | "thumbnails" | "text";
  heat: boolean;
  toHit: (step: number) => void;
  toPage: (page: number) => void;
  zoomBy: (step: number) => void;
  fit: () => void;
  show: (side: Viewer["side"]) => void;
  setHeat: (on: boolean) => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

interface Options {
  hits: readonly Hit[];
  at: number;
  onMove: (at: number) => void;
  pages: number | undefined;
  /** Turns pages where the page stands in the address; else turning is the viewer's own. */
  onTurn?: ((page: number) => void) | undefined;
  onClose?: (() => void) | undefined;
}

/** Keeps a reader's place. It is to be made anew (by `key`) when other hits are shown. */
export function useViewer({ hits, at, onMove, pages, onTurn, onClose }: Options): Viewer | null {
  const hit = hits[at];
  // Turning pages leaves the hit; following a hit leads back to its page.
  const [turned, setTurned] = useState<{ at: number; hits: readonly Hit[]; page: number } | null>(null);
  const [zoom, setZoom] = useState<number>(1);
  const [side, setSide] = useState<Viewer["side"]>("none");
  const [heat, setHeat] = useState(false);
  const isTurned = turned !== null && turned.at === at && turned.hits === hits;
  const page = isTurned ? turned.page : (hit?.page ?? 1);

  const toHit = useCallback(
    (step: number) => {
      setTurned(null);
      onMove((at + step + hits.length) % hits.length);
    },
    [at, hits.length, onMove],
  );
  const toPage = useCallback(
    (next: number) => {
      const within = Math.min(Math.max(1, next), pages ?? next);
      if (onTurn === undefined) setTurned({ at, hits, page: within });
      else onTurn(within);
    },
    [at, hits, pages, onTurn],
  );
  const zoomBy = useCallback((step: number) => {
    setZoom((now) => {
      const nearest = ZOOMS.findIndex((each) => each >= now);
      return ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, nearest + step))] ?? now;
    });
  }, []);
  if (hit === undefined) return null;

  const keys: Record<string, () => void> = {
    n: () => toHit(1),
    p: () => toHit(-1),
    PageDown: () => toPage(page + 1),
    PageUp: () => toPage(page - 1),
    "+": () => zoomBy(1),
    "-": () => zoomBy(-1),
    "0": () => setZoom(1),
    Escape: () => onClose?.(),
  };
  return {
    hit,
    at,
    count: hits.length,
    page,
    zoom,
    side,
    heat,
    toHit,
    toPage,
    zoomBy,
    fit: () => setZoom(1),
    show: (next) => setSide((now) => (now === next ? "none" : next)),
    setHeat,
    onKeyDown(event) {
      const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    },
  };
}
