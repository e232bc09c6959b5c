/** A text cut to what stands around a span: before it, the span, after it. Without a span, its beginning. */
export function excerpt(
  text: string,
  span: [number, number] | null,
  around: number,
): [string, string, string] {
  if (span === null) {
    const shown = text.slice(0, around * 2);
    return [shown + (shown.length < text.length ? " …" : ""), "", ""];
  }
  // Spans count characters as people do; strings here count in units of which some characters take two.
  const characters = [...text];
  const [start, end] = span;
  const from = Math.max(0, start - around);
  const to = Math.min(characters.length, end + around);
  const part = (begin: number, stop: number) => characters.slice(begin, stop).join("");
  return [
    (from > 0 ? "… " : "") + part(from, start),
    part(start, end),
    part(end, to) + (to < characters.length ? " …" : ""),
  ];
}
