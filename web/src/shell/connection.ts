import { useSyncExternalStore } from "react";

const LOOK_AGAIN_MILLISECONDS = 1500;

let isThere = true;
let timer: ReturnType<typeof setTimeout> | null = null;
const listeners = new Set<() => void>();
let whenBack: () => void = () => undefined;

/** Notes whether the gateway answered. While it does not, it is asked for a sign of life until it does. */
export function noteReached(reached: boolean): void {
  if (reached === isThere) return;
  isThere = reached;
  for (const listener of listeners) listener();
  if (reached) whenBack();
  else lookAgain();
}

/** Says what is to be done when the gateway is back. */
export function onReturn(action: () => void): void {
  whenBack = action;
}

function lookAgain(): void {
  if (timer !== null) return;
  timer = setTimeout(() => {
    timer = null;
    fetch("/health/live", { cache: "no-store" }).then(
      (response) => (response.ok ? noteReached(true) : lookAgain()),
      () => lookAgain(),
    );
  }, LOOK_AGAIN_MILLISECONDS);
}

export function useIsThere(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => isThere,
  );
}
