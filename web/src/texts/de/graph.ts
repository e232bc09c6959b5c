import type { Texts } from "..";

const some = (count: number, one: string, other: string) => (count === 1 ? one : other);

const texts: Texts["graph"] = {
  title: "Graph",
  find: "Einen Namen finden",
  type: "Art",
  anyType: "Alle Arten",
  names: "Namen in den Dokumenten",
  counted: (entities: string, relations: string) => `${entities} Namen, ${relations} verbundene Paare`,
  nothing: "Kein Name passt",
  empty: "In diesen Dokumenten wurden noch keine Namen gefunden",
  choose: "Wählen Sie einen Namen, um zu sehen, was um ihn steht",
  passages: (count: number, shown: string) => `${shown} ${some(count, "Passage", "Passagen")}`,
  views: "Art der Darstellung",
  drawing: "Zeichnung",
  list: "Liste",
  around: (name: string) => `Um ${name}`,
  hops: "Wie weit",
  steps: (count: number) => `${count} ${some(count, "Schritt", "Schritte")}`,
  truncated: "Es gibt mehr, als gezeigt wird.",
  alone: "Nichts anderes wird zusammen mit ihm genannt",
  writtenAs: "Geschrieben als",
  types: "Art, wie seine Passagen sie angeben",
  unsure: "Seine Passagen sind sich nicht einig, was es ist.",
  documents: "Dokumente",
  sentences: "Wo es steht",
  relations: "Was darüber gesagt wird",
  drawn: (name: string, count: number) => `${name} und ${count} ${some(count, "Name", "Namen")} darum`,
  larger: "Größer",
  smaller: "Kleiner",
  whole: "Alles",
};

export default texts;
