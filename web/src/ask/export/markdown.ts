import { addressOf } from "@/api/client";
import { places } from "@/shell/places";
import type { Formats } from "@/texts/formats";
import type { Texts } from "@/texts";

import type { Evidence, Turn } from "../answer";
import { partsOf, type Placed } from "../parts";

/** An answer as Markdown, its citations numbered; `about` adds when and of what it was asked. */
export function markdownOf(
  turn: Turn,
  t: Texts,
  about: { kb: string; formats: Formats } | null = null,
): string {
  const lines = [`**${escaped(turn.question)}**`, ""];
  if (about !== null) {
    lines.push(`${t.ask.exportedAt(about.formats.moment(turn.at), about.kb, turn.revision)}`, "");
  }
  if (turn.refusal !== null || turn.sentences.length === 0) lines.push(escaped(turn.text), "");
  else {
    for (const part of partsOf(turn.text, turn.sentences)) {
      if (part.kind === "table") lines.push(...tableOf(part, t), "");
      else
        lines.push(
          `${part.kind === "item" ? "- " : ""}${part.sentences.map((each) => sentenceOf(each, t)).join(" ")}`,
          "",
        );
    }
  }
  for (const { n, evidence } of turn.citations) lines.push(sourceOf(n, evidence, t, about?.kb ?? null));
  return `${lines.join("\n").trimEnd()}\n`;
}

function sentenceOf({ sentence }: Placed, t: Texts): string {
  return `${escaped(sentence.text)}${marksOf(sentence.citations)}${sentence.supported ? "" : ` *(${t.ask.unsupported})*`}`;
}

function marksOf(citations: readonly number[]): string {
  return citations.map((n) => ` [${n}]`).join("");
}

function tableOf(part: Extract<ReturnType<typeof partsOf>[number], { kind: "table" }>, t: Texts): string[] {
  const columns = part.rows[0]?.cells.length ?? 0;
  const header = part.header.length === columns ? part.header : Array.from({ length: columns }, () => "");
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => escaped(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    line([...header, ""]),
    `|${" --- |".repeat(columns + 1)}`,
    ...part.rows.map(({ cells, sentence }) =>
      line([
        ...cells,
        `${marksOf(sentence.citations).trim()}${sentence.supported ? "" : ` (${t.ask.unsupported})`}`,
      ]),
    ),
  ];
}

function sourceOf(n: number, evidence: Evidence, t: Texts, kb: string | null): string {
  const place = `[${n}] ${escaped(evidence.document)}, ${t.page.page(evidence.page)}`;
  return kb === null ? `${place}  ` : `${place}: <${permanent(kb, evidence)}>  `;
}

/** The address of a cited page that can be kept and passed on. */
export function permanent(kb: string, { document_id, document, source, page, passage_id }: Evidence): string {
  const mark = { passage: passage_id, name: document, source };
  return new URL(places.page(kb, document_id, page, mark), location.origin).href;
}

/** What stands in documents is text in Markdown too: no headings, no links, no pictures. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>#!]/g, (sign) => `\\${sign}`);
}

/** Where the picture of a cited page lies. */
export function pictureOf(kb: string, evidence: Evidence): string {
  return addressOf("draw_page", { kb, document: evidence.document_id, page: evidence.page }, { dpi: 150 });
}
