import { createContext, type ReactNode, useContext, useMemo, useState } from "react";

import type en from "./en";
import { formatsFor, type Formats } from "./formats";

export type Texts = typeof en;
export type Language = "en" | "de";

export const LANGUAGES: readonly { value: Language; label: string }[] = [
  { value: "en", label: "English" },
  { value: "de", label: "Deutsch" },
];

const KEPT = "atoll.language";

/** The language that was chosen here, else the browser's, else English. */
export function preferredLanguage(): Language {
  const wanted = [localStorage.getItem(KEPT), ...navigator.languages].map((each) => each?.slice(0, 2));
  return LANGUAGES.map(({ value }) => value).find((value) => value === wanted.find(isKnown)) ?? "en";
}

function isKnown(language: string | undefined): boolean {
  return LANGUAGES.some(({ value }) => value === language);
}

export async function loadTexts(language: Language): Promise<Texts> {
  return (await (language === "de" ? import("./de") : import("./en"))).default;
}

interface Catalogue {
  language: Language;
  texts: Texts;
  formats: Formats;
  choose: (language: Language) => Promise<void>;
}

const Context = createContext<Catalogue | null>(null);

/** Gives its children texts and formats; a change of language needs no reload. */
export function TextsProvider({ first, children }: { first: [Language, Texts]; children: ReactNode }) {
  const [[language, texts], setChosen] = useState(first);
  const catalogue = useMemo(
    () => ({
      language,
      texts,
      formats: formatsFor(regionOf(language)),
      async choose(next: Language) {
        const loaded = await loadTexts(next);
        localStorage.setItem(KEPT, next);
        document.documentElement.lang = next;
        setChosen([next, loaded]);
      },
    }),
    [language, texts],
  );
  return <Context value={catalogue}>{children}</Context>;
}

/** The browser's own variant of a language decides how dates and numbers look. */
function regionOf(language: Language): string {
  return navigator.languages.find((each) => each.startsWith(language)) ?? language;
}

export function useCatalogue(): Catalogue {
  const catalogue = useContext(Context);
  if (catalogue === null) throw new Error("texts are used outside of TextsProvider");
  return catalogue;
}

export function useTexts(): Texts {
  return useCatalogue().texts;
}

export function useFormats(): Formats {
  return useCatalogue().formats;
}
