import { CircleAlert, Info, type LucideIcon, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

import { Problem, Unreachable } from "@/api/problem";
import { useTexts } from "@/texts";

import { Button } from "./Button";
import styles from "./Notice.module.css";

export type Tone = "calm" | "warn" | "bad";

const ICONS: Record<Tone, LucideIcon> = { calm: Info, warn: TriangleAlert, bad: CircleAlert };

interface NoticeProps {
  tone?: Tone;
  title?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}

/** Something to know, in its place. */
export function Notice({ tone = "calm", title, children, actions }: NoticeProps) {
  const Icon = ICONS[tone];
  return (
    <div className={`${styles.notice} ${styles[tone]}`} role={tone === "bad" ? "alert" : "note"}>
      <Icon size={18} aria-hidden="true" />
      <div className={styles.words}>
        {title ? <p className={styles.title}>{title}</p> : null}
        {children}
        {actions ? <div className={styles.actions}>{actions}</div> : null}
      </div>
    </div>
  );
}

/** What went wrong, in the words of the API, and a way to try again. */
export function ProblemNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useTexts();
  const [title, detail] =
    error instanceof Unreachable
      ? [t.shell.unreachable, t.shell.unreachableDetail]
      : error instanceof Problem
        ? [t.shell.problems[error.kind] ?? t.shell.problem, error.detail]
        : [t.shell.problem, t.shell.problemDetail];
  const requestId = error instanceof Problem ? error.requestId : null;
  return (
    <Notice
      tone="bad"
      title={title}
      actions={
        onRetry ? (
          <Button small onClick={onRetry}>
            {t.shell.tryAgain}
          </Button>
        ) : null
      }
    >
      <p>{detail}</p>
      {requestId ? (
        <p className={styles.small}>
          {t.shell.requestId} <code>{requestId}</code>
        </p>
      ) : null}
    </Notice>
  );
}
