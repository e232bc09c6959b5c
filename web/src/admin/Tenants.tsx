import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Building2, CirclePause, CirclePlay, Ellipsis, Plus, Settings2 } from "lucide-react";
import { useState } from "react";

import { call } from "@/api/client";
import { Problem } from "@/api/problem";
import type { TenantOut } from "@/api/schema";
import { Badge } from "@/design/Badge";
import { Button, IconButton } from "@/design/Button";
import { Empty, Skeleton } from "@/design/Empty";
import { Menu, MenuItem } from "@/design/Menu";
import { ProblemNotice } from "@/design/Notice";
import { say } from "@/design/Toasts";
import { useFormats, useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { TablePlace } from "./TablePlace";
import { NewTenantDialog, TenantDialog } from "./TenantDialog";

const AT_ONCE = 200;
const KEY = ["tenants"];

/** The tenants of the installation: made here, limited, suspended and let in again. No document of theirs is seen. */
export function Tenants() {
  const t = useTexts();
  const [doing, setDoing] = useState<"create" | TenantOut | null>(null);
  const { data, error, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: KEY,
    queryFn: ({ pageParam, signal }) =>
      call("list_tenants", { query: { limit: AT_ONCE, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
  const tenants = data?.pages.flatMap((page) => page.tenants);
  const close = () => setDoing(null);
  return (
    <section className={styles.panel} aria-label={t.admin.sections.tenants}>
      <div className={styles.bar}>
        <Button look="primary" icon={Plus} onClick={() => setDoing("create")}>
          {t.admin.newTenant}
        </Button>
      </div>
      {error === null ? null : <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {tenants === undefined && error === null ? <Skeleton lines={4} label={t.shell.loading} /> : null}
      {tenants?.length === 0 ? <Empty icon={Building2} title={t.admin.noTenants} /> : null}
      {tenants === undefined || tenants.length === 0 ? null : (
        <TenantTable tenants={tenants} onChange={setDoing} />
      )}
      {hasNextPage ? <Button onClick={() => void fetchNextPage()}>{t.admin.more}</Button> : null}
      {doing === "create" ? <NewTenantDialog onClose={close} /> : null}
      {doing === null || doing === "create" ? null : <TenantDialog tenant={doing} onClose={close} />}
    </section>
  );
}

interface TenantTableProps {
  tenants: readonly TenantOut[];
  onChange: (tenant: TenantOut) => void;
}

function TenantTable({ tenants, onChange }: TenantTableProps) {
  const t = useTexts();
  const formats = useFormats();
  const client = useQueryClient();
  async function turn({ name, status }: TenantOut) {
    const isActive = status === "active";
    try {
      await call(isActive ? "suspend_tenant" : "resume_tenant", { path: { tenant: name } });
      say(isActive ? t.admin.suspended(name) : t.admin.resumed(name));
    } catch (error) {
      say(error instanceof Problem ? error.detail : t.shell.unreachable);
    }
    await client.invalidateQueries({ queryKey: KEY });
  }
  return (
    <TablePlace label={t.admin.sections.tenants}>
      <thead>
        <tr>
          <th scope="col">{t.admin.name}</th>
          <th scope="col">{t.admin.state}</th>
          <th scope="col" className={styles.wide}>
            {t.admin.quota}
          </th>
          <th scope="col" className={styles.wide}>
            {t.admin.created}
          </th>
          <th scope="col">
            <span className="visually-hidden">{t.documents.actions}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tenants.map((tenant) => (
          <tr key={tenant.id}>
            <th scope="row">{tenant.name}</th>
            <td>
              <Badge tone={tenant.status === "active" ? "good" : "warn"} dot>
                {t.admin.tenantStates[tenant.status]}
              </Badge>
            </td>
            <td className={styles.wide}>{limitsOf(tenant.quota, t, formats) || t.admin.none}</td>
            <td className={styles.wide}>{formats.day(tenant.created_at)}</td>
            <td>
              <TenantMenu tenant={tenant} onChange={onChange} onTurn={turn} />
            </td>
          </tr>
        ))}
      </tbody>
    </TablePlace>
  );
}

interface TenantMenuProps {
  tenant: TenantOut;
  onChange: (tenant: TenantOut) => void;
  onTurn: (tenant: TenantOut) => Promise<void>;
}

function TenantMenu({ tenant, onChange, onTurn }: TenantMenuProps) {
  const t = useTexts();
  const isActive = tenant.status === "active";
  return (
    <Menu
      align="end"
      trigger={<IconButton icon={Ellipsis} label={t.admin.actions(tenant.name)} tipSide="end" />}
    >
      <MenuItem icon={Settings2} onSelect={() => onChange(tenant)}>
        {t.admin.limitsAndUse}
      </MenuItem>
      <MenuItem icon={isActive ? CirclePause : CirclePlay} onSelect={() => void onTurn(tenant)}>
        {isActive ? t.admin.suspend : t.admin.resume}
      </MenuItem>
    </Menu>
  );
}

/** Limits in words: "3 documents, 1.5 MB". */
function limitsOf(
  { documents, bytes, queries_per_day: queries }: Record<string, number>,
  t: ReturnType<typeof useTexts>,
  formats: ReturnType<typeof useFormats>,
): string {
  const parts = [
    documents === undefined ? null : `${formats.number(documents)} ${t.admin.counted.documents}`,
    bytes === undefined ? null : formats.bytes(bytes),
    queries === undefined ? null : t.admin.queriesADay(formats.number(queries)),
  ];
  return parts.filter((part) => part !== null).join(" · ");
}
