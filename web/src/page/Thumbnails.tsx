import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";

import { useTexts } from "@/texts";

import { imageOf } from "./queries";
import styles from "./Thumbnails.module.css";

interface ThumbnailsProps {
  kb: string;
  document: string;
  pages: number;
  page: number;
  onChoose: (page: number) => void;
}

const HEIGHT = 172;

/** All pages, small; only those in sight are drawn. */
export function Thumbnails({ kb, document, pages, page, onChoose }: ThumbnailsProps) {
  const t = useTexts();
  const place = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: pages,
    getScrollElement: () => place.current,
    estimateSize: () => HEIGHT,
    overscan: 2,
  });
  useEffect(() => {
    rows.scrollToIndex(page - 1, { align: "auto" });
  }, [page, rows]);
  return (
    <nav ref={place} className={styles.place} aria-label={t.page.thumbnails}>
      <ol style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start }) => (
          <li key={index} style={{ transform: `translateY(${start}px)` }}>
            <button
              type="button"
              className={styles.thumbnail}
              aria-current={index + 1 === page ? "page" : undefined}
              aria-label={t.page.goTo(index + 1)}
              onClick={() => onChoose(index + 1)}
            >
              <img src={imageOf(kb, document, index + 1, 96)} alt="" loading="lazy" />
              <span>{index + 1}</span>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}
