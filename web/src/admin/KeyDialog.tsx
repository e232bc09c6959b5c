import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { call } from "@/api/client";
import type { KeyOut, NewKeyOut, Role } from "@/api/schema";
import { listOf } from "@/ask/filters";
import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { CheckBox, SelectField, TextField } from "@/design/Field";
import { ProblemNotice } from "@/design/Notice";
import { say } from "@/design/Toasts";
import { kbsQuery } from "@/shell/kbs";
import { useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { dayOf, endOf } from "./keyState";
import { Secret } from "./Secret";

const ROLES: readonly Role[] = ["reader", "editor", "owner", "auditor"];
/** Roles that read documents: for others, knowledge bases and labels mean nothing. */
const READING: ReadonlySet<Role> = new Set(["reader", "editor", "owner"]);

/** Makes a key and shows its secret, this once; or changes the rights of one that is there. */
export function KeyDialog({ shown, onClose }: { shown: KeyOut | null; onClose: () => void }) {
  const t = useTexts();
  const [made, setMade] = useState<NewKeyOut | null>(null);
  return made === null ? (
    <Dialog title={shown === null ? t.admin.newKey : t.admin.settingsOf(shown.name)} onClose={onClose}>
      <KeyForm shown={shown} onMade={setMade} onClose={onClose} />
    </Dialog>
  ) : (
    <Dialog key="made" title={t.admin.secretTitle} onClose={onClose}>
      <p>
        <bdi>{made.name}</bdi> · {t.session.roles[made.role]}
      </p>
      <Secret secret={made.secret} onClose={onClose} />
    </Dialog>
  );
}

interface KeyFormProps {
  shown: KeyOut | null;
  onMade: (made: NewKeyOut) => void;
  onClose: () => void;
}

function KeyForm({ shown, onMade, onClose }: KeyFormProps) {
  const t = useTexts();
  const client = useQueryClient();
  const [name, setName] = useState(shown?.name ?? "");
  const [role, setRole] = useState<Role>(shown?.role ?? "reader");
  const [kbs, setKbs] = useState<readonly string[] | "*">(shown?.kbs ?? "*");
  const [labels, setLabels] = useState<string | "*">(() => written(shown?.labels ?? "*"));
  const [until, setUntil] = useState(() => dayOf(shown?.expires_at ?? null));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const reads = READING.has(role);

  async function make(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    const body = {
      name: name.trim(),
      role,
      kbs: reads && kbs !== "*" ? [...kbs] : ("*" as const),
      labels: reads && labels !== "*" ? listOf(labels) : ("*" as const),
      expires_at: endOf(until),
    };
    try {
      if (shown === null) onMade(await call("create_key", { body }));
      else {
        await call("change_key", { path: { key: shown.id }, body });
        say(t.admin.kbSaved(shown.name));
        onClose();
      }
      await client.invalidateQueries({ queryKey: ["keys"] });
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  }
  return (
    <form className={styles.form} onSubmit={(event) => void make(event)}>
      <TextField
        label={t.admin.name}
        hint={t.admin.keyNameHint}
        required
        maxLength={128}
        dir="auto"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <SelectField
        label={t.admin.role}
        hint={t.admin.roleMeans[role]}
        value={role}
        choices={ROLES.map((value) => ({ value, label: t.session.roles[value] }))}
        onChange={setRole}
      />
      {reads ? (
        <>
          <KbChoices chosen={kbs} onChange={setKbs} />
          <CheckBox
            label={t.admin.labelsAll}
            checked={labels === "*"}
            onChange={(event) => setLabels(event.target.checked ? "*" : "")}
          />
          {labels === "*" ? null : (
            <TextField
              label={t.admin.labelsOnly}
              hint={t.admin.labelsHint}
              dir="auto"
              value={labels}
              onChange={(event) => setLabels(event.target.value)}
            />
          )}
        </>
      ) : null}
      <TextField
        label={t.admin.expires}
        hint={t.admin.expiresHint}
        type="date"
        value={until}
        onChange={(event) => setUntil(event.target.value)}
      />
      {error === null ? null : <ProblemNotice error={error} />}
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          {t.shell.cancel}
        </Button>
        <Button look="primary" type="submit" disabled={busy || name.trim() === "" || kbs.length === 0}>
          {shown === null ? t.admin.create : t.admin.save}
        </Button>
      </DialogActions>
    </form>
  );
}

/** Labels as a field holds them; all of them are `*`, which no label is called. */
function written(labels: readonly string[] | "*"): string {
  return labels === "*" ? "*" : labels.join(", ");
}

interface KbChoicesProps {
  chosen: readonly string[] | "*";
  onChange: (chosen: readonly string[] | "*") => void;
}

function KbChoices({ chosen, onChange }: KbChoicesProps) {
  const t = useTexts();
  const { data } = useQuery(kbsQuery);
  return (
    <fieldset className={styles.choices}>
      <legend>{t.admin.keyKbs}</legend>
      <CheckBox
        label={t.admin.keyKbsAll}
        checked={chosen === "*"}
        onChange={(event) => onChange(event.target.checked ? "*" : [])}
      />
      {chosen === "*"
        ? null
        : (data ?? []).map(({ name }) => (
            <CheckBox
              key={name}
              label={<bdi>{name}</bdi>}
              checked={chosen.includes(name)}
              onChange={(event) =>
                onChange(event.target.checked ? [...chosen, name] : chosen.filter((each) => each !== name))
              }
            />
          ))}
    </fieldset>
  );
}
