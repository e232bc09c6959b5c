import { useSyncExternalStore } from "react";

import styles from "./Toasts.module.css";

interface Toast {
  id: number;
  text: string;
}

const SHOWN_MILLISECONDS = 4500;
const MOST = 3;

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Says in passing that something was done. What needs an answer belongs elsewhere. */
export function say(text: string): void {
  lastId += 1;
  const id = lastId;
  change([...toasts, { id, text }].slice(-MOST));
  setTimeout(() => change(toasts.filter((toast) => toast.id !== id)), SHOWN_MILLISECONDS);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className={styles.toasts} role="status" aria-live="polite">
      {shown.map((toast) => (
        <p key={toast.id} className={styles.toast}>
          {toast.text}
        </p>
      ))}
    </div>
  );
}
