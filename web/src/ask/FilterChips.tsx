import { X } from "lucide-react";

import { useFormats, useTexts } from "@/texts";

import styles from "./FilterChips.module.css";
import { describe, type FilterChoice } from "./filters";

/** What is chosen, in words; with `onChange` each can be taken back. */
export function FilterChips({
  chosen,
  onChange,
}: {
  chosen: FilterChoice;
  onChange?: (chosen: FilterChoice) => void;
}) {
  const t = useTexts();
  const formats = useFormats();
  const found = describe(chosen, t.ask, (day) => formats.day(`${day}T00:00:00`));
  if (found.length === 0) return null;
  return (
    <ul className={styles.chips} aria-label={t.ask.filters}>
      {found.map(({ key, words, without }) => (
        <li key={key} className={styles.chip}>
          <bdi>{words}</bdi>
          {onChange === undefined ? null : (
            <button type="button" aria-label={t.shell.remove(words)} onClick={() => onChange(without)}>
              <X size={13} aria-hidden="true" />
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
