import {
  Activity,
  Building2,
  ChartColumn,
  KeyRound,
  Library,
  type LucideIcon,
  ScrollText,
} from "lucide-react";
import type { ComponentType } from "react";
import { Link, Redirect } from "wouter";

import { may, type Right, type Session, useSession } from "@/session/session";
import { places } from "@/shell/places";
import { useTexts } from "@/texts";

import styles from "./AdminPage.module.css";
import { Audit } from "./Audit";
import { Kbs } from "./Kbs";
import { Keys } from "./Keys";
import { System } from "./System";
import { Tenants } from "./Tenants";
import { Usage } from "./Usage";

const SECTIONS = {
  kbs: { right: "kbs", icon: Library, Shown: Kbs },
  tenants: { right: "tenants", icon: Building2, Shown: Tenants },
  keys: { right: "keys", icon: KeyRound, Shown: Keys },
  audit: { right: "audit", icon: ScrollText, Shown: Audit },
  usage: { right: "usage", icon: ChartColumn, Shown: Usage },
  system: { right: "observe", icon: Activity, Shown: System },
} as const satisfies Record<string, { right: Right; icon: LucideIcon; Shown: ComponentType }>;

type Section = keyof typeof SECTIONS;

/** What the role of a session lets it administer, a section each. */
export function AdminPage({ section }: { section: string | null }) {
  const t = useTexts();
  const session = useSession();
  const offered = sectionsOf(session);
  const here = offered.find((each) => each === section);
  const first = offered[0];
  if (here === undefined) return <Redirect to={first === undefined ? "/" : places.admin(first)} replace />;
  const { Shown } = SECTIONS[here];
  return (
    <div className={styles.page}>
      <h1>{t.admin.title}</h1>
      <nav className={styles.sections} aria-label={t.admin.title}>
        {offered.map((each) => {
          const Icon = SECTIONS[each].icon;
          return (
            <Link
              key={each}
              href={places.admin(each)}
              className={styles.section}
              aria-current={each === here ? "page" : undefined}
            >
              <Icon size={16} aria-hidden="true" />
              {t.admin.sections[each]}
            </Link>
          );
        })}
      </nav>
      <Shown />
    </div>
  );
}

function sectionsOf(session: Session): Section[] {
  return (Object.keys(SECTIONS) as Section[]).filter((each) => may(session, SECTIONS[each].right));
}
