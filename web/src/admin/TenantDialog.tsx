import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { call } from "@/api/client";
import type { TenantOut } from "@/api/schema";
import { Button } from "@/design/Button";
import { Dialog, DialogActions } from "@/design/Dialog";
import { TextField } from "@/design/Field";
import { ProblemNotice } from "@/design/Notice";
import { say } from "@/design/Toasts";
import { useFormats, useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { quotaOf, quotaText } from "./quota";
import { QuotaFields } from "./QuotaFields";
import { Secret } from "./Secret";

/** Makes a tenant and shows its first owner key, this once. */
export function NewTenantDialog({ onClose }: { onClose: () => void }) {
  const t = useTexts();
  const [name, setName] = useState("");
  const [secret, setSecret] = useState<string | null>(null);
  const form = useTenantForm({}, async (quota) => {
    setSecret((await call("create_tenant", { body: { name: name.trim(), quota } })).owner_key);
  });
  if (secret !== null) {
    return (
      <Dialog key="made" title={t.admin.ownerKeyOf(name.trim())} onClose={onClose}>
        <Secret secret={secret} onClose={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog title={t.admin.newTenant} onClose={onClose}>
      <form className={styles.form} onSubmit={form.submit}>
        <TextField
          label={t.admin.name}
          hint={t.admin.kbNameHint}
          required
          pattern="[a-z0-9][a-z0-9_\-]{0,62}"
          spellCheck={false}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <QuotaFields quota={form.quota} onChange={form.setQuota} />
        {form.error === null ? null : <ProblemNotice error={form.error} />}
        <DialogActions>
          <Button look="quiet" onClick={onClose}>
            {t.shell.cancel}
          </Button>
          <Button look="primary" type="submit" disabled={form.busy || name.trim() === ""}>
            {t.admin.create}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** What a tenant uses, in sums, and what it may. */
export function TenantDialog({ tenant, onClose }: { tenant: TenantOut; onClose: () => void }) {
  const t = useTexts();
  const formats = useFormats();
  const { data } = useQuery({
    queryKey: ["tenant", tenant.name],
    queryFn: ({ signal }) => call("get_tenant", { path: { tenant: tenant.name }, signal }),
    gcTime: 0,
  });
  const form = useTenantForm(tenant.quota, async (quota) => {
    await call("change_tenant", { path: { tenant: tenant.name }, body: { quota } });
    say(t.admin.kbSaved(tenant.name));
    onClose();
  });
  const uses: [string, string | undefined][] = [
    [t.admin.counted.documents, data && formats.number(data.usage.documents)],
    [t.admin.counted.bytes, data && formats.bytes(data.usage.bytes)],
    [t.admin.queriesToday, data && formats.number(data.usage.queries)],
  ];
  return (
    <Dialog title={t.admin.settingsOf(tenant.name)} onClose={onClose}>
      <form className={styles.form} onSubmit={form.submit}>
        <dl className={styles.totals}>
          {uses.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value ?? "…"}</dd>
            </div>
          ))}
        </dl>
        <QuotaFields quota={form.quota} onChange={form.setQuota} />
        {form.error === null ? null : <ProblemNotice error={form.error} />}
        <DialogActions>
          <Button look="quiet" onClick={onClose}>
            {t.shell.cancel}
          </Button>
          <Button look="primary" type="submit" disabled={form.busy}>
            {t.admin.save}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** The limits of a form, and what becomes of sending it. */
function useTenantForm(
  limits: Record<string, number>,
  save: (quota: ReturnType<typeof quotaOf>) => Promise<void>,
) {
  const client = useQueryClient();
  const [quota, setQuota] = useState(() => quotaText(limits));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  async function send() {
    setBusy(true);
    try {
      await save(quotaOf(quota));
      await client.invalidateQueries({ queryKey: ["tenants"] });
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  return { quota, setQuota, error, busy, submit };
}
