import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ChartColumn } from "lucide-react";
import { useState } from "react";

import { call } from "@/api/client";
import { Empty, Skeleton } from "@/design/Empty";
import { SelectField } from "@/design/Field";
import { ProblemNotice } from "@/design/Notice";
import { useFormats, useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { TablePlace } from "./TablePlace";

const PERIODS = [1, 7, 30, 365] as const;
const COUNTED = ["documents", "passages", "bytes", "queries"] as const;

/** What a narrow window has no room for. */
function classOf(part: (typeof COUNTED)[number]): string | undefined {
  return part === "passages" || part === "bytes" ? styles.wide : undefined;
}

/** What each knowledge base of the tenant holds, and how much it was asked. */
export function Usage() {
  const t = useTexts();
  const formats = useFormats();
  const [days, setDays] = useState("30");
  const { data, error, refetch } = useQuery({
    queryKey: ["usage", days],
    queryFn: ({ signal }) => call("get_usage", { query: { days: Number(days) }, signal }),
    placeholderData: keepPreviousData,
  });
  const shown = (part: (typeof COUNTED)[number], value: number) =>
    part === "bytes" ? formats.bytes(value) : formats.number(value);
  const total = (part: (typeof COUNTED)[number]) =>
    (data?.kbs ?? []).reduce((sum, each) => sum + each[part], 0);
  return (
    <section className={styles.panel} aria-label={t.admin.sections.usage}>
      <div className={styles.bar}>
        <SelectField
          label={t.admin.period}
          value={days}
          choices={PERIODS.map((value) => ({ value: String(value), label: t.admin.lastDays(value) }))}
          onChange={setDays}
        />
      </div>
      {error === null ? null : <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null ? <Skeleton lines={4} label={t.shell.loading} /> : null}
      {data?.kbs.length === 0 ? <Empty icon={ChartColumn} title={t.admin.noKbs} /> : null}
      {data === undefined || data.kbs.length === 0 ? null : (
        <TablePlace label={t.admin.sections.usage}>
          <thead>
            <tr>
              <th scope="col">{t.shell.kb}</th>
              {COUNTED.map((part) => (
                <th key={part} scope="col" className={classOf(part)}>
                  {t.admin.counted[part]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className={styles.number}>
            {data.kbs.map((kb) => (
              <tr key={kb.name}>
                <th scope="row">{kb.name}</th>
                {COUNTED.map((part) => (
                  <td key={part} className={classOf(part)}>
                    {shown(part, kb[part])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
          <tfoot className={styles.number}>
            <tr>
              <th scope="row">{t.admin.together}</th>
              {COUNTED.map((part) => (
                <td key={part} className={classOf(part)}>
                  {shown(part, total(part))}
                </td>
              ))}
            </tr>
          </tfoot>
        </TablePlace>
      )}
      <p className={styles.soft}>{t.admin.usageNote}</p>
    </section>
  );
}
