import { TriangleAlert } from "lucide-react";

import type { StageOut, Status as StatusName } from "@/api/schema";
import { Badge, type BadgeTone } from "@/design/Badge";
import { useTexts } from "@/texts";

import { isReadAgain } from "./standing";
import styles from "./Status.module.css";

const TONES: Record<StatusName, BadgeTone> = {
  queued: "plain",
  processing: "accent",
  ready: "good",
  failed: "bad",
  quarantined: "bad",
  cancelled: "warn",
};

interface StatusProps {
  status: StatusName;
  stages: readonly StageOut[];
  warnings: readonly unknown[];
}

/** In what state a document is; while it is being read, at which stage and how far. */
export function Status({ status, stages, warnings }: StatusProps) {
  const t = useTexts();
  const isAgain = isReadAgain({ status, stages });
  const stage =
    status === "processing" || isAgain
      ? (stages.find(({ state }) => state === "running") ?? waiting(stages))
      : undefined;
  return (
    <span className={styles.status} data-status={status}>
      {isAgain ? (
        <Badge tone="good" dot>
          {t.documents.states.ready}
        </Badge>
      ) : null}
      <Badge
        tone={isAgain ? "accent" : TONES[status]}
        dot={!isAgain && (status === "ready" || status === "processing")}
      >
        {isAgain ? `${t.documents.again}: ` : ""}
        {stage === undefined ? t.documents.states[status] : (t.documents.stages[stage.name] ?? stage.name)}
      </Badge>
      {stage !== undefined && stage.total > 0 ? (
        <progress
          className={styles.bar}
          max={stage.total}
          value={stage.done}
          aria-label={t.documents.progress}
        />
      ) : null}
      {warnings.length > 0 ? (
        <span className={styles.warned}>
          <TriangleAlert size={14} aria-hidden="true" />
          <span>
            {warnings.length}
            <span className="visually-hidden"> {t.documents.warnings(warnings.length)}</span>
          </span>
        </span>
      ) : null}
    </span>
  );
}

function waiting(stages: readonly StageOut[]): StageOut | undefined {
  return stages.find(({ state }) => state === "waiting");
}
