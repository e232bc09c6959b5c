import type { ReactNode } from "react";

import styles from "./Badge.module.css";

export type BadgeTone = "plain" | "accent" | "good" | "warn" | "bad";

/** A word that says of what kind or in what state something is. */
export function Badge({
  tone = "plain",
  dot,
  children,
}: {
  tone?: BadgeTone;
  dot?: boolean;
  children: ReactNode;
}) {
  return (
    <span className={`${styles.badge} ${styles[tone]}`}>
      {dot ? <i className={styles.dot} aria-hidden="true" /> : null}
      {children}
    </span>
  );
}
