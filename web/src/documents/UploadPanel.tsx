import { CheckCircle2, ChevronDown, ChevronUp, CircleAlert, CopyCheck, RotateCw, X } from "lucide-react";
import { useState, useSyncExternalStore } from "react";

import { Button, IconButton } from "@/design/Button";
import { useFormats, useTexts } from "@/texts";

import styles from "./UploadPanel.module.css";
import { type Sending, type SendingState, uploads } from "./uploads";

/** Lines that are shown; files that failed come first, then those on their way. */
const MOST_LINES = 60;
const ORDER: readonly SendingState[] = ["failed", "sending", "waiting", "known", "accepted"];

/** How uploads get on, in a corner, whatever view is shown. */
export function UploadPanel() {
  const t = useTexts();
  const formats = useFormats();
  const sendings = useSyncExternalStore(uploads.subscribe, uploads.sendings);
  const [isOpen, setOpen] = useState(true);
  if (sendings.length === 0) return null;
  const count = (...states: SendingState[]) => sendings.filter(({ state }) => states.includes(state)).length;
  const [open, failed] = [count("waiting", "sending"), count("failed")];
  const total = sendings.reduce((sum, { bytes }) => sum + bytes, 0);
  const sent = sendings.reduce((sum, { sent: part }) => sum + part, 0);
  const lines = ORDER.flatMap((wanted) => sendings.filter(({ state }) => state === wanted)).slice(
    0,
    MOST_LINES,
  );
  const title =
    open > 0
      ? t.documents.sending(sendings.length - open, sendings.length)
      : failed > 0
        ? t.documents.sentWithFailures(sendings.length - failed, failed)
        : t.documents.sent(sendings.length);
  return (
    <section className={styles.panel} aria-label={t.documents.uploads}>
      <header className={styles.header}>
        <p role="status">{title}</p>
        <IconButton
          icon={isOpen ? ChevronDown : ChevronUp}
          size={16}
          label={isOpen ? t.documents.fold : t.documents.unfold}
          tipSide="above"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        />
        {open === 0 ? (
          <IconButton
            icon={X}
            size={16}
            label={t.shell.close}
            tipSide="end"
            onClick={() => uploads.clear()}
          />
        ) : null}
      </header>
      {open > 0 ? (
        <progress className={styles.bar} max={Math.max(1, total)} value={sent} aria-label={title} />
      ) : null}
      {isOpen ? (
        <ul className={styles.list}>
          {lines.map((sending) => (
            <Line key={sending.id} sending={sending} />
          ))}
          {sendings.length > lines.length ? (
            <li className={styles.rest}>
              {t.documents.moreFiles(formats.number(sendings.length - lines.length))}
            </li>
          ) : null}
        </ul>
      ) : null}
      {count("waiting") > 0 ? (
        <Button small look="quiet" onClick={() => uploads.cancelWaiting()}>
          {t.documents.cancelWaiting}
        </Button>
      ) : null}
    </section>
  );
}

const ICONS = { accepted: CheckCircle2, known: CopyCheck, failed: CircleAlert } as const;

function Line({ sending }: { sending: Sending }) {
  const t = useTexts();
  const formats = useFormats();
  const { name, folder, state, problem, bytes, sent } = sending;
  const over = state === "waiting" || state === "sending" ? null : state;
  const Icon = over === null ? null : ICONS[over];
  return (
    <li className={styles.line} data-upload={state}>
      <span className={styles.name}>
        <bdi>{folder === "" ? name : `${folder}/${name}`}</bdi>
        {problem === null ? null : <span className={styles.problem}>{problem.detail}</span>}
        {sending.namesakes.length > 0 ? (
          <span className={styles.note}>
            {t.documents.namesakes(sending.namesakes.map((each) => each || t.documents.noFolder).join(", "))}
          </span>
        ) : null}
        {state === "known" ? <span className={styles.note}>{t.documents.known}</span> : null}
      </span>
      {state === "failed" ? (
        <IconButton
          icon={RotateCw}
          size={15}
          label={t.documents.sendAgain(name)}
          tipSide="end"
          onClick={() => uploads.retry(sending.id)}
        />
      ) : null}
      {over === null || Icon === null ? (
        <span className={styles.share}>
          {state === "waiting" ? t.documents.waiting : formats.percent(bytes === 0 ? 0 : sent / bytes)}
        </span>
      ) : (
        <Icon size={16} className={styles[over]} aria-label={t.documents.sendingStates[over]} />
      )}
    </li>
  );
}
