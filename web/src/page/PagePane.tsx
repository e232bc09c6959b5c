import { useQuery } from "@tanstack/react-query";
import { FileText, X } from "lucide-react";
import { Link } from "wouter";

import { IconButton } from "@/design/Button";
import { places } from "@/shell/places";
import { useTexts } from "@/texts";

import { Gone } from "./Gone";
import type { Hit } from "./hits";
import styles from "./PagePane.module.css";
import { PageText } from "./PageText";
import { PageView } from "./PageView";
import { documentQuery } from "./queries";
import { Thumbnails } from "./Thumbnails";
import { Toolbar } from "./Toolbar";
import { useViewer } from "./useViewer";

interface PagePaneProps {
  kb: string;
  hits: readonly Hit[];
  at: number;
  onMove: (at: number) => void;
  /** The question that led here; its heat map can be shown. */
  question: string | null;
  onTurn?: (page: number) => void;
  onClose?: () => void;
  /** Without the document's name, where it stands above already. */
  bare?: boolean;
}

function gone(kb: string, error: unknown, { document, source }: Hit) {
  return <Gone kb={kb} error={error} name={document} source={source} />;
}

/** The page behind a citation, beside the answer. */
export function PagePane({ kb, hits, at, onMove, question, onTurn, onClose, bare = false }: PagePaneProps) {
  const t = useTexts();
  const documentId = hits[at]?.documentId ?? "";
  const { data: document } = useQuery({ ...documentQuery(kb, documentId), enabled: documentId !== "" });
  const pages = document?.pages;
  const viewer = useViewer({ hits, at, onMove, pages, onTurn, onClose });
  if (viewer === null) return null;
  const { hit, page } = viewer;
  const isOnHit = page === hit.page;
  const markId = hit.passageId ?? `page-${hit.page}`;
  return (
    <section className={styles.pane} aria-label={t.page.pane}>
      {bare ? null : (
        <header className={styles.header}>
          <FileText size={18} aria-hidden="true" />
          <Link
            className={styles.name}
            href={places.document(kb, hit.documentId)}
            title={t.page.openDocument}
          >
            <bdi>{hit.document}</bdi>
          </Link>
          {onClose ? <IconButton icon={X} label={t.shell.close} tipSide="end" onClick={onClose} /> : null}
        </header>
      )}
      <Toolbar kb={kb} viewer={viewer} pages={pages} canHeat={question !== null} />
      <p className="visually-hidden" role="status">
        {isOnHit ? t.page.marked(hit.document, page, hit.text) : t.page.region(hit.document, page)}
      </p>
      <div className={styles.body}>
        {viewer.side === "thumbnails" && pages !== undefined ? (
          <Thumbnails kb={kb} document={hit.documentId} pages={pages} page={page} onChoose={viewer.toPage} />
        ) : null}
        {viewer.side === "text" && document !== undefined ? (
          <PageText
            kb={kb}
            document={hit.documentId}
            page={page}
            total={document.passages}
            marked={isOnHit ? hit.passageId : null}
          />
        ) : (
          <PageView
            kb={kb}
            document={hit.documentId}
            name={hit.document}
            page={page}
            marks={isOnHit ? hit.marks : []}
            frame={isOnHit ? hit.frame : []}
            markId={`${markId}-${viewer.at}`}
            zoom={viewer.zoom}
            heat={viewer.heat ? question : null}
            onKeyDown={viewer.onKeyDown}
            fallback={(error) => gone(kb, error, hit)}
          />
        )}
      </div>
    </section>
  );
}
