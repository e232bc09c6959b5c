import { ListFilter, Plus, Trash2 } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { Button, IconButton } from "@/design/Button";
import { InlineSelect, TextField } from "@/design/Field";
import { Popover } from "@/design/Popover";
import { useCurrentKb } from "@/shell/useCurrentKb";
import { useTexts } from "@/texts";

import { DocumentPicker } from "./DocumentPicker";
import { hintsQuery } from "./filterHints";
import styles from "./FilterPanel.module.css";
import { countFilters, type FilterChoice, listOf, type MetadataFilter, NO_FILTERS } from "./filters";

interface FilterPanelProps {
  chosen: FilterChoice;
  onChange: (chosen: FilterChoice) => void;
  side?: "top" | "bottom";
}

/** What a search is narrowed to, behind one button that says how much that is. */
export function FilterPanel({ chosen, onChange, side = "top" }: FilterPanelProps) {
  const t = useTexts();
  const count = countFilters(chosen);
  return (
    <Popover
      label={t.ask.filters}
      side={side}
      trigger={
        <Button small look="quiet" icon={ListFilter} className={count > 0 ? (styles.active ?? "") : ""}>
          {count > 0 ? t.ask.filtersChosen(count) : t.ask.filters}
        </Button>
      }
    >
      <FilterForm chosen={chosen} onChange={onChange} />
    </Popover>
  );
}

function FilterForm({ chosen, onChange }: FilterPanelProps) {
  const t = useTexts();
  const change = (part: Partial<FilterChoice>) => onChange({ ...chosen, ...part });
  const kb = useCurrentKb();
  const { data: hints } = useQuery({ ...hintsQuery(kb ?? ""), enabled: kb !== null });
  return (
    <div className={styles.form}>
      {kb === null ? null : (
        <DocumentPicker kb={kb} chosen={chosen.documents} onChange={(documents) => change({ documents })} />
      )}
      <ListField
        label={t.ask.names}
        hint={t.ask.namesHint}
        values={chosen.names}
        onChange={(names) => change({ names })}
      />
      <ListField
        label={t.ask.folders}
        hint={t.ask.foldersHint}
        values={chosen.sources}
        offered={hints?.folders}
        onChange={(sources) => change({ sources })}
      />
      <ListField
        label={t.ask.labels}
        values={chosen.labels}
        offered={hints?.labels}
        onChange={(labels) => change({ labels })}
      />
      <div className={styles.pair}>
        <TextField
          label={t.ask.addedFrom}
          type="date"
          value={chosen.after}
          onChange={(event) => change({ after: event.target.value })}
        />
        <TextField
          label={t.ask.addedTo}
          type="date"
          value={chosen.before}
          onChange={(event) => change({ before: event.target.value })}
        />
      </div>
      <MetadataFields
        fields={hints?.fields ?? []}
        chosen={chosen.metadata}
        onChange={(metadata) => change({ metadata })}
      />
      <Button small look="quiet" disabled={countFilters(chosen) === 0} onClick={() => onChange(NO_FILTERS)}>
        {t.ask.clearFilters}
      </Button>
    </div>
  );
}

interface ListFieldProps {
  label: string;
  hint?: string;
  values: string[];
  /** What the documents have, to be chosen without typing. */
  offered?: readonly string[] | undefined;
  onChange: (values: string[]) => void;
}

/** Words separated by commas; what is typed stays as it is typed. */
function ListField({ label, hint, values, offered, onChange }: ListFieldProps) {
  const [text, setText] = useState(values.join(", "));
  const shown = listOf(text).join() === values.join() ? text : values.join(", ");
  const turn = (value: string) =>
    onChange(values.includes(value) ? values.filter((each) => each !== value) : [...values, value]);
  return (
    <div>
      <TextField
        label={label}
        hint={hint}
        value={shown}
        dir="auto"
        onChange={(event) => {
          setText(event.target.value);
          onChange(listOf(event.target.value));
        }}
      />
      {offered === undefined || offered.length === 0 ? null : (
        <div className={styles.offered}>
          {offered.map((value) => (
            <button
              key={value}
              type="button"
              aria-pressed={values.includes(value)}
              onClick={() => turn(value)}
            >
              <bdi>{value}</bdi>
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

interface MetadataFieldsProps {
  /** Names of fields that the documents have. */
  fields: readonly string[];
  chosen: MetadataFilter[];
  onChange: (chosen: MetadataFilter[]) => void;
}

function MetadataFields({ fields, chosen, onChange }: MetadataFieldsProps) {
  const t = useTexts();
  const change = (at: number, part: Partial<MetadataFilter>) =>
    onChange(chosen.map((each, index) => (index === at ? { ...each, ...part } : each)));
  return (
    <div className={styles.metadata}>
      <p className={styles.heading}>{t.ask.metadata}</p>
      <datalist id="metadata-fields">
        {fields.map((field) => (
          <option key={field}>{field}</option>
        ))}
      </datalist>
      {chosen.map((each, at) => (
        <div key={at} className={styles.condition}>
          <TextField
            label={t.ask.metadataKey}
            value={each.key}
            list="metadata-fields"
            onChange={(event) => change(at, { key: event.target.value })}
          />
          <InlineSelect
            label={t.ask.comparison}
            value={each.comparison}
            choices={[
              { value: "is", label: t.ask.is },
              { value: "from", label: t.ask.from },
              { value: "to", label: t.ask.to },
            ]}
            onChange={(comparison) => change(at, { comparison })}
          />
          <TextField
            label={t.ask.metadataValue}
            value={each.value}
            onChange={(event) => change(at, { value: event.target.value })}
          />
          <IconButton
            icon={Trash2}
            size={16}
            label={t.shell.remove(each.key)}
            tipSide="end"
            onClick={() => onChange(chosen.filter((_, index) => index !== at))}
          />
        </div>
      ))}
      <Button
        small
        look="quiet"
        icon={Plus}
        onClick={() => onChange([...chosen, { key: "", comparison: "is", value: "" }])}
      >
        {t.ask.addCondition}
      </Button>
    </div>
  );
}
