import type { Texts } from "..";

const texts: Texts["search"] = {
  title: "Suchlabor",
  lead: "Eine Frage, mehrere Wege zu suchen, und warum jeder fand, was er fand.",
  query: "Frage",
  search: "Suchen",
  modes: "Wege zu suchen",
  results: "Treffer",
  found: (count: string, milliseconds: string) => `${count} in ${milliseconds} ms`,
  keywords: (words: string) => `Gesucht nach: ${words}`,
  nothing: "Nichts gefunden",
  elsewhere: (places: string) => `Auch ${places}`,
  nowhereElse: "Nur auf diesem Weg gefunden",
  place: (rank: string, mode: string) => `Platz ${rank} bei ${mode}`,
  curl: "Als curl kopieren",
  copied: "Befehl kopiert; ATOLL_API_KEY muss einen Schlüssel enthalten",
};

export default texts;
