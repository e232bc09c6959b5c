import type { Box, Citation, Evidence, Sentence } from "@/ask/answer";

/** A marked place of a document: what is opened when a citation is followed. */
export interface Hit {
  documentId: string;
  document: string;
  source: string | null;
  page: number;
  passageId: string | null;
  /** What is marked, and what is framed around it, in points of the page. */
  marks: Box[];
  frame: Box[];
  /** The citation's number in an answer, and its sentence's place there. */
  n: number | null;
  sentence: number | null;
  text: string;
}

/** The places of a whole answer in the order of its text; a sentence that rests on two pages has two. */
export function hitsOf(sentences: readonly Sentence[], citations: readonly Citation[]): Hit[] {
  const byNumber = new Map(citations.map(({ n, evidence }) => [n, evidence]));
  return sentences.flatMap((sentence, at) =>
    sentence.citations.flatMap((n) => {
      const evidence = byNumber.get(n);
      return evidence === undefined ? [] : hitsOfSentence(sentence, at, n, evidence);
    }),
  );
}

function hitsOfSentence(sentence: Sentence, at: number, n: number, evidence: Evidence): Hit[] {
  const around = { ...hitOf(evidence), n, sentence: at, text: sentence.text };
  const places = (sentence.places ?? []).filter((place) => place.n === n && place.boxes.length > 0);
  if (places.length === 0) return [around];
  // Cells of a row are places of their own; on one page they are one hit, all of them marked.
  const boxes = new Map<number, Box[]>();
  for (const place of places) boxes.set(place.page, [...(boxes.get(place.page) ?? []), ...place.boxes]);
  return [...boxes].map(([page, marks]) => ({
    ...around,
    page,
    marks,
    frame: page === evidence.page ? evidence.boxes : [],
  }));
}

/** The place of a piece of evidence: its passage. */
export function hitOf(evidence: Evidence): Hit {
  return {
    documentId: evidence.document_id,
    document: evidence.document,
    source: evidence.source,
    page: evidence.page,
    passageId: evidence.passage_id,
    marks: evidence.boxes,
    frame: [],
    n: null,
    sentence: null,
    text: evidence.text,
  };
}

/** The first place of a sentence's citation among the hits of its answer. */
export function indexOf(hits: readonly Hit[], sentence: number | null, n: number): number {
  const exact = hits.findIndex((hit) => hit.n === n && (sentence === null || hit.sentence === sentence));
  return Math.max(0, exact);
}
