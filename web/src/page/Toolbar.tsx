import {
  ChevronDown,
  ChevronLeft,
  ChevronRight,
  ChevronUp,
  Download,
  Flame,
  GalleryVertical,
  Link2,
  Text,
  ZoomIn,
  ZoomOut,
} from "lucide-react";

import { addressOf } from "@/api/client";
import { IconButton } from "@/design/Button";
import { say } from "@/design/Toasts";
import { copyText } from "@/shell/copyText";
import { places } from "@/shell/places";
import { useTexts } from "@/texts";

import styles from "./Toolbar.module.css";
import type { Viewer } from "./useViewer";

interface ToolbarProps {
  kb: string;
  viewer: Viewer;
  pages: number | undefined;
  /** Whether there is a question whose heat map could be shown. */
  canHeat: boolean;
}

/** What can be done with a page, in one line: hits, pages, size, and what else there is to see of it. */
export function Toolbar({ kb, viewer, pages, canHeat }: ToolbarProps) {
  const t = useTexts();
  const { hit, at, count, page, side } = viewer;
  return (
    <div className={styles.bar} role="toolbar" aria-label={t.page.tools}>
      {count > 1 ? (
        <div className={styles.group}>
          <IconButton icon={ChevronUp} label={t.page.previousHit} onClick={() => viewer.toHit(-1)} />
          <span className={styles.count}>{t.page.hitOf(at + 1, count)}</span>
          <IconButton icon={ChevronDown} label={t.page.nextHit} onClick={() => viewer.toHit(1)} />
        </div>
      ) : null}
      <div className={styles.group}>
        <IconButton
          icon={ChevronLeft}
          className={styles.direction}
          label={t.page.previousPage}
          disabled={page <= 1}
          onClick={() => viewer.toPage(page - 1)}
        />
        <span className={styles.count}>{t.page.pageOf(page, pages)}</span>
        <IconButton
          icon={ChevronRight}
          className={styles.direction}
          label={t.page.nextPage}
          disabled={pages !== undefined && page >= pages}
          onClick={() => viewer.toPage(page + 1)}
        />
      </div>
      <div className={styles.group}>
        <IconButton icon={ZoomOut} label={t.page.smaller} onClick={() => viewer.zoomBy(-1)} />
        <IconButton icon={ZoomIn} label={t.page.larger} onClick={() => viewer.zoomBy(1)} />
      </div>
      <div className={`${styles.group} ${styles.end}`}>
        <IconButton
          icon={GalleryVertical}
          label={t.page.thumbnails}
          pressed={side === "thumbnails"}
          onClick={() => viewer.show("thumbnails")}
        />
        <IconButton
          icon={Text}
          label={t.page.text}
          tipSide="end"
          pressed={side === "text"}
          onClick={() => viewer.show("text")}
        />
        {canHeat ? (
          <IconButton
            icon={Flame}
            label={t.page.heat}
            tipSide="end"
            pressed={viewer.heat}
            onClick={() => viewer.setHeat(!viewer.heat)}
          />
        ) : null}
        <IconButton
          icon={Link2}
          label={t.page.copyLink}
          tipSide="end"
          onClick={() => {
            const isOnHit = page === hit.page;
            const passage = isOnHit ? hit.passageId : null;
            const mark = { passage, name: hit.document, source: hit.source };
            const link = new URL(places.page(kb, hit.documentId, page, mark), location.origin).href;
            void copyText(link).then(() => say(t.page.linkCopied));
          }}
        />
        <a
          className={styles.link}
          href={addressOf("download_document", { kb, document: hit.documentId })}
          download
          aria-label={t.page.openFile}
          data-tip={t.page.openFile}
          data-tip-side="end"
        >
          <Download size={18} aria-hidden="true" />
        </a>
      </div>
    </div>
  );
}
