import { saveFile } from "@/shell/saveFile";
import type { Formats } from "@/texts/formats";
import type { Texts } from "@/texts";

import type { Turn } from "../answer";
import { cropOf } from "./crop";
import { firstHits, htmlOf } from "./html";
import { markdownOf } from "./markdown";

/** Saves an answer as one HTML file with pictures of what it cites. */
export async function saveHtml(kb: string, turn: Turn, t: Texts, formats: Formats): Promise<void> {
  const crops = new Map<number, string>();
  for (const hit of firstHits(turn)) {
    const crop = await cropOf(kb, hit);
    if (crop !== null && hit.n !== null) crops.set(hit.n, crop);
  }
  const language = document.documentElement.lang;
  saveFile(`${nameOf(turn)}.html`, "text/html", htmlOf(kb, turn, t, formats, language, crops));
}

/** Saves an answer as Markdown; pictures of the marked places follow its sources. */
export async function saveMarkdown(kb: string, turn: Turn, t: Texts, formats: Formats): Promise<void> {
  const pictures: string[] = [];
  for (const hit of firstHits(turn)) {
    const crop = await cropOf(kb, hit);
    if (crop !== null) pictures.push(`\n![[${hit.n}]](${crop})\n`);
  }
  saveFile(`${nameOf(turn)}.md`, "text/markdown", markdownOf(turn, t, { kb, formats }) + pictures.join(""));
}

function nameOf(turn: Turn): string {
  const words = turn.question
    .toLowerCase()
    .normalize("NFKD")
    .replaceAll(/[^\p{Letter}\p{Number}]+/gu, "-");
  return words.replaceAll(/^-+|-+$/g, "").slice(0, 60) || "answer";
}
