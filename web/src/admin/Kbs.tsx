import { useQuery } from "@tanstack/react-query";
import { ArrowRight, Ellipsis, Library, Plus, Settings2, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";

import type { KbOut } from "@/api/schema";
import { Button, IconButton } from "@/design/Button";
import { Empty, Skeleton } from "@/design/Empty";
import { Menu, MenuItem, MenuSeparator } from "@/design/Menu";
import { ProblemNotice } from "@/design/Notice";
import { kbsQuery } from "@/shell/kbs";
import { places } from "@/shell/places";
import { useFormats, useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { DeleteKbDialog } from "./DeleteKbDialog";
import { KbDialog } from "./KbDialog";
import { TablePlace } from "./TablePlace";

type Doing = { what: "create" } | { what: "change" | "delete"; kb: KbOut } | null;

/** The knowledge bases of the key: what each holds, its limits, and how to make, change and delete one. */
export function Kbs() {
  const t = useTexts();
  const { data, error, refetch } = useQuery(kbsQuery);
  const [doing, setDoing] = useState<Doing>(null);
  const close = () => setDoing(null);
  return (
    <section className={styles.panel} aria-label={t.admin.sections.kbs}>
      <div className={styles.bar}>
        <Button look="primary" icon={Plus} onClick={() => setDoing({ what: "create" })}>
          {t.admin.newKb}
        </Button>
      </div>
      {error === null ? null : <ProblemNotice error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null ? <Skeleton lines={4} label={t.shell.loading} /> : null}
      {data?.length === 0 ? <Empty icon={Library} title={t.admin.noKbs} /> : null}
      {data === undefined || data.length === 0 ? null : <KbTable kbs={data} onDo={setDoing} />}
      {doing?.what === "create" ? <KbDialog kb={null} onClose={close} /> : null}
      {doing?.what === "change" ? <KbDialog kb={doing.kb} onClose={close} /> : null}
      {doing?.what === "delete" ? <DeleteKbDialog kb={doing.kb} onClose={close} /> : null}
    </section>
  );
}

function KbTable({ kbs, onDo }: { kbs: readonly KbOut[]; onDo: (doing: Doing) => void }) {
  const t = useTexts();
  const formats = useFormats();
  const [, navigate] = useLocation();
  const limited = (now: number | null, most: number | undefined, write: (value: number) => string) => {
    if (now === null) return "";
    return most === undefined ? write(now) : t.admin.ofLimit(write(now), write(most));
  };
  return (
    <TablePlace label={t.admin.sections.kbs}>
      <thead>
        <tr>
          <th scope="col">{t.admin.name}</th>
          <th scope="col" className={styles.wide}>
            {t.admin.language}
          </th>
          <th scope="col">{t.admin.documents}</th>
          <th scope="col" className={styles.wide}>
            {t.admin.passages}
          </th>
          <th scope="col" className={styles.wide}>
            {t.admin.size}
          </th>
          <th scope="col" className={styles.wide}>
            {t.admin.created}
          </th>
          <th scope="col">
            <span className="visually-hidden">{t.documents.actions}</span>
          </th>
        </tr>
      </thead>
      <tbody className={styles.number}>
        {kbs.map((kb) => (
          <tr key={kb.id}>
            <th scope="row">
              <Link href={places.documents(kb.name)}>{kb.name}</Link>
            </th>
            <td className={styles.wide}>{t.admin.languages[kb.language] ?? kb.language}</td>
            <td>{limited(kb.documents, kb.quota.documents, formats.number)}</td>
            <td className={styles.wide}>{limited(kb.passages, undefined, formats.number)}</td>
            <td className={styles.wide}>{limited(kb.bytes, kb.quota.bytes, formats.bytes)}</td>
            <td className={styles.wide}>{formats.day(kb.created_at)}</td>
            <td>
              <Menu
                align="end"
                trigger={<IconButton icon={Ellipsis} label={t.admin.actions(kb.name)} tipSide="end" />}
              >
                <MenuItem icon={ArrowRight} onSelect={() => navigate(places.ask(kb.name))}>
                  {t.admin.openKb}
                </MenuItem>
                <MenuItem icon={Settings2} onSelect={() => onDo({ what: "change", kb })}>
                  {t.admin.settings}
                </MenuItem>
                <MenuSeparator />
                <MenuItem icon={Trash2} danger onSelect={() => onDo({ what: "delete", kb })}>
                  {t.admin.deleteKb}
                </MenuItem>
              </Menu>
            </td>
          </tr>
        ))}
      </tbody>
    </TablePlace>
  );
}
