import styles from "./Brand.module.css";

/** The ring of an atoll with its one passage. */
export function BrandMark({ size = 24 }: { size?: number }) {
  return (
    <svg className={styles.mark} width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" className={styles.water} />
      <path d="M21.6 8.3A9.6 9.6 0 1 0 25.6 16" className={styles.ring} />
      <circle cx="24.2" cy="10.6" r="2.1" className={styles.islet} />
    </svg>
  );
}

export function Brand() {
  return (
    <span className={styles.brand}>
      <BrandMark />
      <span>Atoll</span>
    </span>
  );
}
