import { useInfiniteQuery } from "@tanstack/react-query";
import { Ellipsis, KeyRound, Plus, Settings2 } from "lucide-react";
import { useState } from "react";

import type { KeyOut } from "@/api/schema";
import { Badge } from "@/design/Badge";
import { Button, IconButton } from "@/design/Button";
import { Empty, Skeleton } from "@/design/Empty";
import { CheckBox } from "@/design/Field";
import { Menu, MenuItem, MenuSeparator } from "@/design/Menu";
import { ProblemNotice } from "@/design/Notice";
import { useFormats, useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { KeyDialog } from "./KeyDialog";
import { keyList } from "./keyList";
import { keyState } from "./keyState";
import { RevokeDialog } from "./RevokeDialog";
import { TablePlace } from "./TablePlace";

/** The keys of the tenant: who has which rights, until when; made here, shown once, revoked at once. */
export function Keys() {
  const t = useTexts();
  const [doing, setDoing] = useState<"create" | KeyOut | null>(null);
  const [revoking, setRevoking] = useState<KeyOut | null>(null);
  const [withEnded, setWithEnded] = useState(false);
  const { data, error, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery(keyList);
  const keys = data?.pages.flatMap((page) => page.keys);
  const shown = keys?.filter((key) => withEnded || keyState(key) === "active");
  const ended = (keys ?? []).filter((key) => keyState(key) !== "active").length;
  return (
    <section className={styles.panel} aria-label={t.admin.sections.keys}>
      <div className={styles.bar}>
        <Button look="primary" icon={Plus} onClick={() => setDoing("create")}>
          {t.admin.newKey}
        </Button>
        {ended > 0 ? (
          <CheckBox
            label={t.admin.hideEnded(ended)}
            checked={withEnded}
            onChange={(event) => setWithEnded(event.target.checked)}
          />
        ) : null}
      </div>
      {error === null ? null : <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {shown === undefined && error === null ? <Skeleton lines={4} label={t.shell.loading} /> : null}
      {shown?.length === 0 ? <Empty icon={KeyRound} title={t.admin.noKeys} /> : null}
      {shown === undefined || shown.length === 0 ? null : (
        <KeyTable keys={shown} onChange={setDoing} onRevoke={setRevoking} />
      )}
      {hasNextPage ? <Button onClick={() => void fetchNextPage()}>{t.admin.more}</Button> : null}
      {doing === null ? null : (
        <KeyDialog shown={doing === "create" ? null : doing} onClose={() => setDoing(null)} />
      )}
      {revoking === null ? null : <RevokeDialog shown={revoking} onClose={() => setRevoking(null)} />}
    </section>
  );
}

interface KeyTableProps {
  keys: readonly KeyOut[];
  onChange: (key: KeyOut) => void;
  onRevoke: (key: KeyOut) => void;
}

function KeyTable({ keys, onChange, onRevoke }: KeyTableProps) {
  const t = useTexts();
  const formats = useFormats();
  const listed = (names: readonly string[] | "*") =>
    names === "*" ? t.admin.all : names.length === 0 ? t.admin.none : names.join(", ");
  return (
    <TablePlace label={t.admin.sections.keys}>
      <thead>
        <tr>
          <th scope="col">{t.admin.name}</th>
          <th scope="col" className={styles.wide}>
            {t.admin.role}
          </th>
          <th scope="col" className={styles.wide}>
            {t.admin.keyKbs}
          </th>
          <th scope="col" className={styles.wide}>
            {t.admin.labels}
          </th>
          <th scope="col" className={styles.wide}>
            {t.admin.lastUsed}
          </th>
          <th scope="col" className={styles.wide}>
            {t.admin.expires}
          </th>
          <th scope="col">{t.admin.state}</th>
          <th scope="col">
            <span className="visually-hidden">{t.documents.actions}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {keys.map((key) => {
          const state = keyState(key);
          return (
            <tr key={key.id} data-key={key.id}>
              <th scope="row" className={state === "active" ? styles.wrap : `${styles.wrap} ${styles.ended}`}>
                <bdi>{key.name}</bdi>
              </th>
              <td className={styles.wide}>{t.session.roles[key.role]}</td>
              <td className={`${styles.wrap} ${styles.wide}`}>{listed(key.kbs)}</td>
              <td className={`${styles.wrap} ${styles.wide}`} dir="auto">
                {listed(key.labels)}
              </td>
              <td
                className={styles.wide}
                title={key.last_used_at === null ? undefined : formats.moment(key.last_used_at)}
              >
                {key.last_used_at === null ? t.admin.never : formats.ago(key.last_used_at)}
              </td>
              <td className={styles.wide}>
                {key.expires_at === null ? t.admin.never : formats.day(key.expires_at)}
              </td>
              <td>
                <Badge tone={state === "active" ? "good" : "plain"} dot>
                  {t.admin.states[state]}
                </Badge>
              </td>
              <td>
                {state === "active" ? (
                  <Menu
                    align="end"
                    trigger={<IconButton icon={Ellipsis} label={t.admin.actions(key.name)} tipSide="end" />}
                  >
                    <MenuItem icon={Settings2} onSelect={() => onChange(key)}>
                      {t.admin.change}
                    </MenuItem>
                    <MenuSeparator />
                    <MenuItem icon={KeyRound} danger onSelect={() => onRevoke(key)}>
                      {t.admin.revoke}
                    </MenuItem>
                  </Menu>
                ) : null}
              </td>
            </tr>
          );
        })}
      </tbody>
    </TablePlace>
  );
}
