import { ChevronRight, Folder as FolderIcon } from "lucide-react";
import { useState } from "react";

import { useFormats, useTexts } from "@/texts";

import type { Folder } from "./choosing";
import styles from "./Folders.module.css";

interface FoldersProps {
  folders: readonly Folder[];
  chosen: string | null;
  onChoose: (path: string | null) => void;
}

/** The folders that the documents came from. */
export function Folders({ folders, chosen, onChoose }: FoldersProps) {
  const t = useTexts();
  return (
    <nav className={styles.folders} aria-label={t.documents.folders}>
      <button
        type="button"
        className={styles.folder}
        aria-current={chosen === null ? "true" : undefined}
        onClick={() => onChoose(null)}
      >
        <span className={styles.name}>{t.documents.allFolders}</span>
      </button>
      <Branch folders={folders} chosen={chosen} onChoose={onChoose} />
    </nav>
  );
}

function Branch({ folders, chosen, onChoose }: FoldersProps) {
  return (
    <ul className={styles.branch}>
      {folders.map((folder) => (
        <Twig key={folder.path} folder={folder} chosen={chosen} onChoose={onChoose} />
      ))}
    </ul>
  );
}

function Twig({ folder, chosen, onChoose }: Omit<FoldersProps, "folders"> & { folder: Folder }) {
  const t = useTexts();
  const formats = useFormats();
  const holdsChosen = chosen?.startsWith(`${folder.path}/`) ?? false;
  const [isOpen, setOpen] = useState(holdsChosen);
  const isLeaf = folder.folders.length === 0;
  return (
    <li>
      <div className={styles.line}>
        <button
          type="button"
          className={styles.toggle}
          disabled={isLeaf}
          aria-expanded={isOpen}
          aria-label={isOpen ? t.documents.foldFolder(folder.name) : t.documents.unfoldFolder(folder.name)}
          onClick={() => setOpen(!isOpen)}
        >
          {isLeaf ? (
            <FolderIcon size={15} aria-hidden="true" />
          ) : (
            <ChevronRight size={15} aria-hidden="true" />
          )}
        </button>
        <button
          type="button"
          className={styles.folder}
          aria-current={chosen === folder.path ? "true" : undefined}
          onClick={() => onChoose(folder.path)}
        >
          <bdi className={styles.name}>{folder.name}</bdi>
          <span className={styles.count}>{formats.number(folder.count)}</span>
        </button>
      </div>
      {isOpen && !isLeaf ? <Branch folders={folder.folders} chosen={chosen} onChoose={onChoose} /> : null}
    </li>
  );
}
