import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useDeferredValue, useId, useLayoutEffect, useRef, useState } from "react";
import { useLocation } from "wouter";

import { call } from "@/api/client";
import { Dialog } from "@/design/Dialog";
import { may, useSession } from "@/session/session";
import { useTexts } from "@/texts";

import { kbsQuery } from "./kbs";
import styles from "./Palette.module.css";
import { patternOf } from "./patternOf";
import { places } from "./places";
import { useCurrentKb } from "./useCurrentKb";

interface Goal {
  href: string;
  label: string;
  /** What kind of place it is. */
  kind: string;
}

const MOST_DOCUMENTS = 8;
const MOST_SHOWN = 14;

/** Leads to every view, knowledge base and document by a few letters of its name. */
export function Palette({ onClose }: { onClose: () => void }) {
  const t = useTexts();
  const list = useId();
  const [, navigate] = useLocation();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const goals = useGoals(text.trim());
  const field = useRef<HTMLInputElement>(null);
  // After the dialog has opened, which gives the focus to its first button.
  useLayoutEffect(() => field.current?.focus(), []);
  const chosen = Math.min(at, goals.length - 1);

  function go(goal: Goal | undefined) {
    if (goal === undefined) return;
    onClose();
    navigate(goal.href);
  }
  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && goals.length > 0) {
      event.preventDefault();
      setAt((chosen + step + goals.length) % goals.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(goals[chosen]);
    }
  }
  return (
    <Dialog title={t.shell.palette} onClose={onClose}>
      <input
        type="text"
        role="combobox"
        className={styles.input}
        aria-label={t.shell.palette}
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={goals.length > 0 ? `${list}-${chosen}` : undefined}
        placeholder={t.shell.palettePlaceholder}
        ref={field}
        dir="auto"
        value={text}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
      />
      <div id={list} role="listbox" aria-label={t.shell.palette} className={styles.list}>
        {goals.map((goal, place) => (
          // The keyboard is the field's above, as a list of choices has it.
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
          <div
            key={goal.href}
            id={`${list}-${place}`}
            role="option"
            tabIndex={-1}
            aria-selected={place === chosen}
            className={styles.goal}
            onClick={() => go(goal)}
          >
            <bdi>{goal.label}</bdi>
            <small>{goal.kind}</small>
          </div>
        ))}
      </div>
    </Dialog>
  );
}

function useGoals(text: string): Goal[] {
  const t = useTexts();
  const session = useSession();
  const kb = useCurrentKb();
  const reads = may(session, "read");
  const wanted = useDeferredValue(text);
  const kbs = useQuery({ ...kbsQuery, enabled: reads }).data ?? [];
  const documents = useQuery({
    queryKey: ["palette", kb, wanted],
    queryFn: ({ signal }) =>
      call("list_documents", {
        path: { kb: kb ?? "" },
        query: { name: patternOf(wanted), limit: MOST_DOCUMENTS },
        signal,
      }),
    enabled: reads && kb !== null && wanted.length > 1,
  }).data?.documents;
  const kind = t.shell.paletteKinds;
  const views =
    reads && kb !== null
      ? [
          { href: places.ask(kb), label: t.shell.newQuestion, kind: kind.view },
          { href: places.documents(kb), label: t.shell.documents, kind: kind.view },
          { href: places.graph(kb), label: t.graph.title, kind: kind.view },
          { href: places.search(kb), label: t.search.title, kind: kind.view },
        ]
      : [];
  const sections = (
    [
      ["kbs", "kbs"],
      ["tenants", "tenants"],
      ["keys", "keys"],
      ["usage", "usage"],
      ["audit", "audit"],
      ["system", "observe"],
    ] as const
  )
    .filter(([, right]) => may(session, right))
    .map(([section]) => ({
      href: places.admin(section),
      label: t.admin.sections[section],
      kind: t.shell.administration,
    }));
  const bases = kbs.map(({ name }) => ({ href: places.documents(name), label: name, kind: kind.kb }));
  const found = (kb === null || wanted.length <= 1 ? [] : (documents ?? [])).map(({ id, name }) => ({
    href: places.document(kb ?? "", id),
    label: name,
    kind: kind.document,
  }));
  const letters = text.toLocaleLowerCase();
  const byName = [...views, ...sections, ...bases].filter(({ label }) =>
    label.toLocaleLowerCase().includes(letters),
  );
  // The same address may be a view and a knowledge base.
  const all = [...byName, ...found];
  return all
    .filter(({ href }, place) => all.findIndex((each) => each.href === href) === place)
    .slice(0, MOST_SHOWN);
}
