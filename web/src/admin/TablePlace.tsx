import type { ReactNode } from "react";

import styles from "./AdminPage.module.css";

/** A table that may be wider than its window: it is moved sideways by the keyboard too. */
export function TablePlace({ label, children }: { label: string; children: ReactNode }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.scroll} role="region" aria-label={label} tabIndex={0}>
      <table className={styles.table}>{children}</table>
    </div>
  );
}
