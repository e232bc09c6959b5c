import { TextField } from "@/design/Field";
import { useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import type { QuotaText } from "./quota";

/** How much may be held and asked. */
export function QuotaFields({ quota, onChange }: { quota: QuotaText; onChange: (quota: QuotaText) => void }) {
  const t = useTexts();
  return (
    <fieldset className={styles.limits}>
      <legend>{t.admin.quota}</legend>
      <div className={styles.triple}>
        <TextField
          label={t.admin.mostDocuments}
          type="number"
          min={0}
          value={quota.documents}
          onChange={(event) => onChange({ ...quota, documents: event.target.value })}
        />
        <TextField
          label={t.admin.mostMegabytes}
          type="number"
          min={0}
          step="any"
          value={quota.megabytes}
          onChange={(event) => onChange({ ...quota, megabytes: event.target.value })}
        />
        <TextField
          label={t.admin.mostQueries}
          type="number"
          min={0}
          value={quota.queries}
          onChange={(event) => onChange({ ...quota, queries: event.target.value })}
        />
      </div>
      <p className={styles.soft}>{t.admin.quotaHint}</p>
    </fieldset>
  );
}
