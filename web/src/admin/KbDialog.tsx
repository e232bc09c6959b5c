import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { call } from "@/api/client";
import type { KbOut } from "@/api/schema";
import { listOf } from "@/ask/filters";
import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { SelectField, TextField } from "@/design/Field";
import { ProblemNotice } from "@/design/Notice";
import { say } from "@/design/Toasts";
import { kbsQuery } from "@/shell/kbs";
import { useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { quotaOf, quotaText } from "./quota";
import { QuotaFields } from "./QuotaFields";

interface KbDialogProps {
  /** The one to change, or null for a new one. */
  kb: KbOut | null;
  onClose: () => void;
}

/** Makes a knowledge base, or changes the settings and limits of one. */
export function KbDialog({ kb, onClose }: KbDialogProps) {
  const t = useTexts();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [language, setLanguage] = useState("en");
  const [limits, setLimits] = useState(() => quotaText(kb?.quota ?? {}));
  const [types, setTypes] = useState(typesOf(kb?.settings ?? {}).join(", "));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function save(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    const quota = quotaOf(limits);
    const settings = withTypes(kb?.settings ?? {}, listOf(types));
    try {
      if (kb === null) await call("create_kb", { body: { name: name.trim(), language, quota, settings } });
      else await call("change_kb", { path: { kb: kb.name }, body: { quota, settings } });
      await client.invalidateQueries({ queryKey: kbsQuery.queryKey });
      say(kb === null ? t.admin.kbCreated(name.trim()) : t.admin.kbSaved(kb.name));
      onClose();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  }
  return (
    <Dialog title={kb === null ? t.admin.newKb : t.admin.settingsOf(kb.name)} onClose={onClose}>
      <form className={styles.form} onSubmit={(event) => void save(event)}>
        {kb === null ? (
          <>
            <TextField
              label={t.admin.name}
              hint={t.admin.kbNameHint}
              required
              pattern="[a-z0-9][a-z0-9_\-]{0,62}"
              spellCheck={false}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
            <SelectField
              label={t.admin.language}
              hint={t.admin.languageHint}
              value={language}
              choices={Object.entries(t.admin.languages).map(([value, label]) => ({ value, label }))}
              onChange={setLanguage}
            />
          </>
        ) : null}
        <QuotaFields quota={limits} onChange={setLimits} />
        <TextField
          label={t.admin.entityTypes}
          hint={t.admin.entityTypesHint}
          dir="auto"
          value={types}
          onChange={(event) => setTypes(event.target.value)}
        />
        {error === null ? null : <ProblemNotice error={error} />}
        <DialogActions>
          <Button look="quiet" onClick={onClose}>
            {t.shell.cancel}
          </Button>
          <Button look="primary" type="submit" disabled={busy}>
            {kb === null ? t.admin.create : t.admin.save}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** The setting of the API's own name. */
const TYPES = "entity_types";

function typesOf(settings: Record<string, unknown>): string[] {
  const types = settings[TYPES];
  return Array.isArray(types) ? types.map(String) : [];
}

/** Settings that this form does not know stay as they are. */
export function withTypes(settings: Record<string, unknown>, types: string[]): Record<string, unknown> {
  const { [TYPES]: _, ...others } = settings;
  return types.length > 0 ? { ...others, [TYPES]: types } : others;
}
