import type { Texts } from "..";

const texts: Texts["page"] = {
  pane: "Seite hinter der Antwort",
  page: (page: number) => `Seite ${page}`,
  pageOf: (page: number, pages: number | undefined) =>
    pages === undefined ? `Seite ${page}` : `Seite ${page} von ${pages}`,
  hitOf: (at: number, count: number) => `${at} / ${count}`,
  region: (name: string, page: number) => `${name}, Seite ${page}`,
  image: (name: string, page: number) => `Bild der Seite ${page} von ${name}`,
  marked: (name: string, page: number, text: string) => `${name}, Seite ${page}, markiert: ${text}`,
  loading: "Die Seite wird gezeichnet",
  notDrawn: "Die Seite konnte gerade nicht gezeichnet werden.",
  tools: "Seite",
  previousHit: "Vorige Stelle (P)",
  nextHit: "Nächste Stelle (N)",
  previousPage: "Vorige Seite",
  nextPage: "Nächste Seite",
  smaller: "Kleiner",
  larger: "Größer",
  thumbnails: "Alle Seiten",
  text: "Text der Seite",
  textOf: (page: number) => `Text der Seite ${page}`,
  noText: "Auf dieser Seite wurde kein Text gelesen",
  heat: "Wo die Seite die Frage beantwortet",
  heating: "Es wird gesucht, wo die Seite antwortet",
  heatOf: (question: string) => `Wärmebild: wo die Seite „${question}“ beantwortet`,
  noHeat: "Das Wärmebild konnte nicht gezeichnet werden.",
  copyLink: "Link zu dieser Stelle kopieren",
  linkCopied: "Link kopiert",
  openFile: "Datei speichern",
  openDocument: "Dokument öffnen",
  goTo: (page: number) => `Zu Seite ${page}`,
  gone: "Dieses Dokument ist nicht mehr da",
  goneDetail: "Es wurde gelöscht, oder dieser Schlüssel darf es nicht sehen.",
  replaced: (version: number) => `Ersetzt durch Fassung ${version}`,
  markLost:
    "Die Stelle, auf die dieser Link zeigt, stammt aus einer früheren Lesung des Dokuments. Die Seite ist ohne sie zu sehen.",
  toDocuments: "Zu den Dokumenten",
  replacedDetail: "Worauf dieser Link zeigte, wird nicht mehr gezeigt.",
  openVersion: (name: string, version: number) => `${name}, Fassung ${version} öffnen`,
};

export default texts;
