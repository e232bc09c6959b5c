import { hitsOf } from "@/page/hits";
import type { Formats } from "@/texts/formats";
import type { Texts } from "@/texts";

import type { Turn } from "../answer";
import { type Part, partsOf, type Placed } from "../parts";
import { permanent } from "./markdown";

const STYLE = `
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.6 system-ui, sans-serif; color: #1a1c1e; background: #fff }
h1 { font-size: 1.35rem; line-height: 1.3 } .about, figcaption { color: #565b60; font-size: .85rem }
table { border-collapse: collapse } th, td { padding: .3rem .7rem; border: 1px solid #dcdcd5; text-align: start; vertical-align: top }
sup { font-weight: 600 } .unsupported { text-decoration: underline dashed #7f5200 } figure { margin: 1.5rem 0 }
img { max-width: 100%; border: 1px solid #dcdcd5; border-radius: 4px } ol { padding-inline-start: 1.5rem }`;

/** An answer as one page that needs nothing else: its words, its sources, and pictures of the marked places. */
export function htmlOf(
  kb: string,
  turn: Turn,
  t: Texts,
  formats: Formats,
  language: string,
  crops: ReadonlyMap<number, string>,
): string {
  const parts = turn.refusal === null ? partsOf(turn.text, turn.sentences) : [];
  const body =
    parts.length > 0
      ? parts.map((part) => partOf(part, t)).join("\n")
      : `<p dir="auto">${safe(turn.text)}</p>`;
  const sources = turn.citations.map(({ n, evidence }) => {
    const crop = crops.get(n);
    const name = `${safe(evidence.document)}, ${safe(t.page.page(evidence.page))}`;
    const picture = crop === undefined ? "" : `<br><img src="${crop}" alt="${name}">`;
    return `<figure id="source-${n}"><figcaption>[${n}] <a href="${safe(permanent(kb, evidence))}">${name}</a></figcaption>${picture}</figure>`;
  });
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${safe(turn.question)}</title><style>${STYLE}</style></head><body>
<h1 dir="auto">${safe(turn.question)}</h1>
<p class="about">${safe(t.ask.exportedAt(formats.moment(turn.at), kb, turn.revision))}</p>
${body}
${sources.join("\n")}
</body></html>
`;
}

/** Numbers of the citations with a place of their own, the first of each. */
export function firstHits(turn: Turn) {
  const hits = hitsOf(turn.sentences, turn.citations);
  return [...new Set(hits.map(({ n }) => n))].flatMap((n) => hits.find((hit) => hit.n === n) ?? []);
}

function partOf(part: Part, t: Texts): string {
  if (part.kind === "table") {
    const head = part.header.map((cell) => `<th dir="auto">${safe(cell)}</th>`).join("");
    const rows = part.rows.map(
      ({ cells, sentence }) =>
        `<tr>${cells.map((cell) => `<td dir="auto">${safe(cell)}</td>`).join("")}<td>${marksOf(sentence.citations)}</td></tr>`,
    );
    return `<table>${head === "" ? "" : `<thead><tr>${head}<td></td></tr></thead>`}<tbody>${rows.join("")}</tbody></table>`;
  }
  const text = part.sentences.map((each) => sentenceOf(each, t)).join(" ");
  return part.kind === "item" ? `<p dir="auto">• ${text}</p>` : `<p dir="auto">${text}</p>`;
}

function sentenceOf({ sentence }: Placed, t: Texts): string {
  const words = sentence.supported
    ? safe(sentence.text)
    : `<span class="unsupported">${safe(sentence.text)}</span> <small>(${safe(t.ask.unsupported)})</small>`;
  return `${words}${marksOf(sentence.citations)}`;
}

function marksOf(citations: readonly number[]): string {
  return citations.map((n) => `<sup><a href="#source-${n}">[${n}]</a></sup>`).join("");
}

/** Text as text, whatever markup it looks like. */
function safe(text: string): string {
  const names: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (sign) => names[sign] ?? sign);
}
