import { Ban, Ellipsis, FileUp, MessageSquare, RefreshCw, RotateCw, Tags, Trash2 } from "lucide-react";
import { useRef, useState } from "react";

import { IconButton } from "@/design/Button";
import { Menu, MenuItem, MenuSeparator } from "@/design/Menu";
import { may, useSession } from "@/session/session";
import { useTexts } from "@/texts";

import { useVerbs } from "./actions";
import { DeleteDialog } from "./DeleteDialog";
import type { Listed } from "./documentList";
import { EditDialog } from "./EditDialog";
import { canCancel, canReadAgain, canRetry } from "./standing";
import { uploads } from "./uploads";

interface DocumentMenuProps {
  kb: string;
  document: Listed;
  onAsk: () => void;
  onDeleted: () => void;
}

/** Everything that can be done with a document. */
export function DocumentMenu({ kb, document, onAsk, onDeleted }: DocumentMenuProps) {
  const t = useTexts();
  const session = useSession();
  const act = useVerbs(kb);
  const [shown, setShown] = useState<"edit" | "delete" | null>(null);
  const file = useRef<HTMLInputElement>(null);
  const { id, status } = document;
  return (
    <>
      <Menu
        align="end"
        trigger={<IconButton icon={Ellipsis} label={t.documents.actionsOf(document.name)} tipSide="end" />}
      >
        {status === "ready" ? (
          <MenuItem icon={MessageSquare} onSelect={onAsk}>
            {t.documents.askThis}
          </MenuItem>
        ) : null}
        {may(session, "write") ? (
          <>
            {canRetry(document) ? (
              <MenuItem icon={RotateCw} onSelect={() => void act("retry", id)}>
                {t.documents.retry}
              </MenuItem>
            ) : null}
            {canCancel(document) ? (
              <MenuItem icon={Ban} onSelect={() => void act("cancel", id)}>
                {t.documents.cancel}
              </MenuItem>
            ) : null}
            {canReadAgain(document) ? (
              <MenuItem icon={RefreshCw} onSelect={() => void act("reprocess", id)}>
                {t.documents.reprocess}
              </MenuItem>
            ) : null}
            <MenuItem icon={FileUp} onSelect={() => file.current?.click()}>
              {t.documents.replaceBy}
            </MenuItem>
            <MenuItem icon={Tags} onSelect={() => setShown("edit")}>
              {t.documents.edit}
            </MenuItem>
            <MenuSeparator />
            <MenuItem icon={Trash2} danger onSelect={() => setShown("delete")}>
              {t.documents.delete}
            </MenuItem>
          </>
        ) : null}
      </Menu>
      <input
        ref={file}
        type="file"
        hidden
        aria-label={t.documents.replaceBy}
        onChange={(event) => {
          const [chosen] = event.target.files ?? [];
          if (chosen !== undefined) replaceBy(kb, document, chosen);
          event.target.value = "";
        }}
      />
      {shown === "edit" ? <EditDialog kb={kb} id={id} onClose={() => setShown(null)} /> : null}
      {shown === "delete" ? (
        <DeleteDialog kb={kb} document={document} onClose={() => setShown(null)} onDeleted={onDeleted} />
      ) : null}
    </>
  );
}

/** The next version of a document has its name and lies where it lies, whatever the chosen file is called. */
function replaceBy(kb: string, { name, source, labels }: Listed, file: File): void {
  const renamed = new File([file], name, { type: file.type });
  const wishes = { labels, metadata: {}, replace: true, password: "" };
  uploads.add(kb, [{ file: renamed, folder: source ?? "" }], wishes);
}
