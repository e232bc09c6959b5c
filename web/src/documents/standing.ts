import type { Listed } from "./documentList";

type Standing = Pick<Listed, "status" | "error"> & Stages;
interface Stages {
  stages: readonly Listed["stages"][number][];
}

const STOPPED: ReadonlySet<string> = new Set(["failed", "quarantined", "cancelled"]);
const OPEN: ReadonlySet<string> = new Set(["queued", "processing"]);

/** Whether a document that can be asked about is being read anew behind what is shown of it. */
export function isReadAgain({ status, stages }: Pick<Listed, "status"> & Stages): boolean {
  // Other labels reach the index in a stage of their own; nothing is read for them.
  const reading = stages.filter(({ name }) => name !== "relabel");
  return status === "ready" && reading.some(({ state }) => state === "waiting" || state === "running");
}

export function canRetry({ status, error }: Standing): boolean {
  return STOPPED.has(status) || (status === "ready" && error !== null);
}

export function canCancel(document: Standing): boolean {
  return OPEN.has(document.status) || isReadAgain(document);
}

export function canReadAgain(document: Standing): boolean {
  return document.status === "ready" && !isReadAgain(document);
}
