import { Plus, Trash2 } from "lucide-react";

import { scalarOf } from "@/ask/filters";
import { Button, IconButton } from "@/design/Button";
import { TextField } from "@/design/Field";
import { useTexts } from "@/texts";

import styles from "./MetadataFields.module.css";

/** A field of metadata as it is written; `kept` is a value that no line of text can hold, and stays as it is. */
export interface MetadataRow {
  key: string;
  text: string;
  kept?: unknown;
}

export function rowsOf(metadata: Record<string, unknown>): MetadataRow[] {
  return Object.entries(metadata).map(([key, value]) =>
    typeof value === "object" && value !== null
      ? { key, text: JSON.stringify(value), kept: value }
      : { key, text: String(value) },
  );
}

export function metadataOf(rows: readonly MetadataRow[]): Record<string, unknown> {
  const named = rows.filter(({ key }) => key.trim() !== "");
  return Object.fromEntries(
    named.map(({ key, text, kept }) => [key.trim(), kept === undefined ? scalarOf(text) : kept]),
  );
}

interface MetadataFieldsProps {
  rows: MetadataRow[];
  onChange: (rows: MetadataRow[]) => void;
}

export function MetadataFields({ rows, onChange }: MetadataFieldsProps) {
  const t = useTexts();
  const change = (at: number, part: Partial<MetadataRow>) =>
    onChange(rows.map((row, index) => (index === at ? { ...row, ...part } : row)));
  return (
    <fieldset className={styles.fields}>
      <legend>{t.ask.metadata}</legend>
      {rows.map((row, at) => (
        <div key={at} className={styles.row}>
          <TextField
            label={t.ask.metadataKey}
            value={row.key}
            dir="auto"
            onChange={(event) => change(at, { key: event.target.value })}
          />
          <TextField
            label={t.ask.metadataValue}
            value={row.text}
            dir="auto"
            readOnly={row.kept !== undefined}
            onChange={(event) => change(at, { text: event.target.value })}
          />
          <IconButton
            icon={Trash2}
            size={16}
            label={t.shell.remove(row.key)}
            tipSide="end"
            onClick={() => onChange(rows.filter((_, index) => index !== at))}
          />
        </div>
      ))}
      <Button small look="quiet" icon={Plus} onClick={() => onChange([...rows, { key: "", text: "" }])}>
        {t.documents.addField}
      </Button>
    </fieldset>
  );
}
