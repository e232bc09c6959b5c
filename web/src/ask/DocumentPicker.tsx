import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Check, FileText, X } from "lucide-react";
import { useDeferredValue, useState } from "react";

import { call } from "@/api/client";
import { IconButton } from "@/design/Button";
import { TextField } from "@/design/Field";
import { patternOf } from "@/shell/patternOf";
import { useTexts } from "@/texts";

import styles from "./DocumentPicker.module.css";
import type { FilterChoice } from "./filters";

type Picked = FilterChoice["documents"];

interface DocumentPickerProps {
  kb: string;
  chosen: Picked;
  onChange: (chosen: Picked) => void;
}

const MOST_FOUND = 5;

/** Documents chosen one by one: the newest are offered, or those whose names hold what is typed. */
export function DocumentPicker({ kb, chosen, onChange }: DocumentPickerProps) {
  const t = useTexts();
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text.trim());
  const { data } = useQuery({
    queryKey: ["picker", kb, wanted],
    queryFn: ({ signal }) =>
      call("list_documents", {
        path: { kb },
        query: { ...(wanted === "" ? {} : { name: patternOf(wanted) }), status: "ready", limit: MOST_FOUND },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const ids = new Set(chosen.map(({ id }) => id));
  const remove = (id: string) => onChange(chosen.filter((each) => each.id !== id));
  return (
    <div>
      <TextField
        label={t.ask.documents}
        type="search"
        placeholder={t.ask.findDocument}
        dir="auto"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {chosen.length > 0 ? (
        <ul className={styles.chosen} aria-label={t.ask.onlyDocuments}>
          {chosen.map(({ id, name }) => (
            <li key={id}>
              <Check size={15} aria-hidden="true" />
              <bdi>{name}</bdi>
              <IconButton
                icon={X}
                size={15}
                label={t.shell.remove(name)}
                tipSide="end"
                onClick={() => remove(id)}
              />
            </li>
          ))}
        </ul>
      ) : null}
      <ul className={styles.found} aria-label={t.ask.foundDocuments}>
        {(data?.documents ?? [])
          .filter(({ id }) => !ids.has(id))
          .map(({ id, name, source }) => (
            <li key={id}>
              <button type="button" onClick={() => onChange([...chosen, { id, name }])}>
                <FileText size={15} aria-hidden="true" />
                <bdi>{name}</bdi>
                {source ? <small dir="auto">{source}</small> : null}
              </button>
            </li>
          ))}
      </ul>
      {data?.documents.length === 0 ? <p className={styles.none}>{t.documents.noneMatches}</p> : null}
    </div>
  );
}
