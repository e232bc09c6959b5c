import { useQueries } from "@tanstack/react-query";
import { FlaskConical, Search } from "lucide-react";
import { type FormEvent, lazy, Suspense, useState } from "react";
import { useLocation, useSearch } from "wouter";

import { call } from "@/api/client";
import type { Mode, SearchIn } from "@/api/schema";
import type { Evidence } from "@/ask/answer";
import { FilterPanel } from "@/ask/FilterPanel";
import { NO_FILTERS, toApi } from "@/ask/filters";
import { MODES } from "@/ask/wishes";
import { Button } from "@/design/Button";
import { Empty } from "@/design/Empty";
import { CheckBox } from "@/design/Field";
import { type Hit, hitOf } from "@/page/hits";
import { places } from "@/shell/places";
import { Split } from "@/shell/Split";
import { useTexts } from "@/texts";

import { Column } from "./Column";
import styles from "./SearchPage.module.css";

const PagePane = lazy(async () => ({ default: (await import("@/page/PagePane")).PagePane }));

/** `bypass` searches nothing. */
const OFFERED = MODES.filter((mode) => mode !== "bypass");
const FIRST: readonly Mode[] = ["mix", "naive", "local"];
const RESULTS = 10;
const MOST_CHARACTERS = 8000;

interface Asked {
  query: string;
  modes: readonly Mode[];
  filters: NonNullable<SearchIn["filters"]> | undefined;
}

/** One question, searched in several ways side by side; question and ways stand in the address. */
export function SearchPage({ kb }: { kb: string }) {
  const t = useTexts();
  const [, navigate] = useLocation();
  const address = new URLSearchParams(useSearch());
  const [query, setQuery] = useState(address.get("q") ?? "");
  const [modes, setModes] = useState(() => modesOf(address.get("modes")));
  const [filters, setFilters] = useState(NO_FILTERS);
  const [asked, setAsked] = useState<Asked | null>(() =>
    query === "" ? null : { query, modes, filters: undefined },
  );
  const [open, setOpen] = useState<{ hits: Hit[]; at: number } | null>(null);
  const results = useQueries({
    queries: (asked?.modes ?? []).map((mode) => ({
      queryKey: ["search", kb, mode, asked?.query, asked?.filters],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call("search", { path: { kb }, body: bodyOf(mode, asked), signal }),
      staleTime: 0,
    })),
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    const trimmed = query.trim();
    if (trimmed === "" || modes.length === 0) return;
    setOpen(null);
    setAsked({ query: trimmed, modes, filters: toApi(filters) });
    const parameters = new URLSearchParams({ q: trimmed, modes: modes.join(",") });
    navigate(`${places.search(kb)}?${parameters}`, { replace: true });
  }
  const found = results.flatMap(({ data }, at) => {
    const mode = asked?.modes[at];
    return data === undefined || mode === undefined ? [] : [{ mode, evidence: data.evidence }];
  });

  return (
    <Split
      label={t.page.pane}
      onClose={() => setOpen(null)}
      side={
        open === null ? null : (
          <Suspense fallback={null}>
            <PagePane
              kb={kb}
              hits={open.hits}
              at={open.at}
              onMove={(at) => setOpen({ ...open, at })}
              question={asked?.query ?? null}
              onClose={() => setOpen(null)}
            />
          </Suspense>
        )
      }
    >
      <div className={styles.page}>
        <header>
          <h1>{t.search.title}</h1>
          <p className={styles.lead}>{t.search.lead}</p>
        </header>
        <form className={styles.form} onSubmit={submit}>
          <input
            type="search"
            className={styles.query}
            aria-label={t.search.query}
            placeholder={t.ask.placeholder}
            maxLength={MOST_CHARACTERS}
            dir="auto"
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
          <Button
            type="submit"
            look="primary"
            icon={Search}
            disabled={query.trim() === "" || modes.length === 0}
          >
            {t.search.search}
          </Button>
          <fieldset className={styles.modes}>
            <legend className="visually-hidden">{t.search.modes}</legend>
            {OFFERED.map((mode) => (
              <CheckBox
                key={mode}
                label={t.ask.modes[mode]}
                checked={modes.includes(mode)}
                onChange={({ target }) =>
                  setModes(OFFERED.filter((each) => (each === mode ? target.checked : modes.includes(each))))
                }
              />
            ))}
            <FilterPanel chosen={filters} onChange={setFilters} side="bottom" />
          </fieldset>
        </form>
        {asked === null ? (
          <Empty icon={FlaskConical} title={t.search.lead} />
        ) : (
          // The columns may be wider than the window: they are moved sideways by the keyboard too.
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          <div className={styles.columns} role="region" aria-label={t.search.results} tabIndex={0}>
            {asked.modes.map((mode, at) => (
              <Column
                key={mode}
                kb={kb}
                mode={mode}
                body={bodyOf(mode, asked)}
                answer={results[at]?.data}
                error={results[at]?.error ?? null}
                found={found}
                onOpen={(evidence: readonly Evidence[], which) =>
                  setOpen({ hits: evidence.map(hitOf), at: which })
                }
              />
            ))}
          </div>
        )}
      </div>
    </Split>
  );
}

function modesOf(written: string | null): readonly Mode[] {
  const named = OFFERED.filter((mode) => (written ?? "").split(",").includes(mode));
  return named.length > 0 ? named : FIRST;
}

function bodyOf(mode: Mode, asked: Asked | null): SearchIn {
  const body: SearchIn = { query: asked?.query ?? "", mode, top_k: RESULTS, explain: true };
  return asked?.filters === undefined ? body : { ...body, filters: asked.filters };
}
