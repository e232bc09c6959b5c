import { Ban, MessageSquare, RefreshCw, RotateCw, Tags, Trash2, X } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";

import { NO_FILTERS } from "@/ask/filters";
import { askWith } from "@/ask/wishes";
import { Button, IconButton } from "@/design/Button";
import { places } from "@/shell/places";
import { useFormats, useTexts } from "@/texts";

import { doTo, type Verb } from "./actions";
import styles from "./BulkBar.module.css";
import { BulkDeleteDialog } from "./BulkDeleteDialog";
import { BulkLabelsDialog } from "./BulkLabelsDialog";
import type { Listed } from "./documentList";
import { canCancel, canReadAgain, canRetry } from "./standing";
import { useBulk } from "./useBulk";

interface BulkBarProps {
  kb: string;
  chosen: readonly Listed[];
  onClear: () => void;
  onDeleted: (id: string) => void;
}

const VERBS = [
  { verb: "reprocess", icon: RefreshCw, suits: canReadAgain },
  { verb: "retry", icon: RotateCw, suits: canRetry },
  { verb: "cancel", icon: Ban, suits: canCancel },
] as const satisfies { verb: Verb; icon: typeof Ban; suits: (document: Listed) => boolean }[];

/** What can be done to all chosen documents at once; each action says how many of them it is for. */
export function BulkBar({ kb, chosen, onClear, onDeleted }: BulkBarProps) {
  const t = useTexts();
  const formats = useFormats();
  const [, navigate] = useLocation();
  const [shown, setShown] = useState<"labels" | "delete" | null>(null);
  const { progress, run } = useBulk();
  const close = () => setShown(null);
  return (
    <div className={styles.bar} role="group" aria-label={t.documents.bulk}>
      <p role="status" className={styles.count}>
        {progress === null
          ? t.documents.chosenDocuments(chosen.length, formats.number(chosen.length))
          : t.documents.bulkProgress(formats.number(progress.done), formats.number(progress.total))}
      </p>
      {VERBS.map(({ verb, icon, suits }) => {
        const suited = chosen.filter(suits);
        return suited.length === 0 ? null : (
          <Button
            key={verb}
            small
            icon={icon}
            disabled={progress !== null}
            onClick={() => void run(suited, ({ id }) => doTo(kb, verb, id)).then(onClear)}
          >
            {t.documents[verb]} ({formats.number(suited.length)})
          </Button>
        );
      })}
      {chosen.some(({ status }) => status === "ready") ? (
        <Button
          small
          icon={MessageSquare}
          disabled={progress !== null}
          onClick={() => {
            const documents = chosen
              .filter(({ status }) => status === "ready")
              .map(({ id, name }) => ({ id, name }));
            askWith({ ...NO_FILTERS, documents });
            navigate(places.ask(kb));
          }}
        >
          {t.documents.askThese}
        </Button>
      ) : null}
      <Button small icon={Tags} disabled={progress !== null} onClick={() => setShown("labels")}>
        {t.documents.bulkLabels}
      </Button>
      <Button
        small
        look="danger"
        icon={Trash2}
        disabled={progress !== null}
        onClick={() => setShown("delete")}
      >
        {t.documents.delete}
      </Button>
      <IconButton icon={X} size={16} label={t.documents.clearChoice} tipSide="end" onClick={onClear} />
      {shown === "labels" ? (
        <BulkLabelsDialog kb={kb} chosen={chosen} run={run} onClose={close} onDone={onClear} />
      ) : null}
      {shown === "delete" ? (
        <BulkDeleteDialog
          kb={kb}
          chosen={chosen}
          run={run}
          onClose={close}
          onDone={onClear}
          onDeleted={onDeleted}
        />
      ) : null}
    </div>
  );
}
