const MOST_LETTERS = 40;

/** A pattern of names that hold these letters, in upper or lower case. */
export function patternOf(text: string): string {
  const letters = [...text.replaceAll(/[*?[\]]/g, "")].slice(0, MOST_LETTERS);
  const either = letters.map((letter) => {
    const [lower, upper] = [letter.toLowerCase(), letter.toUpperCase()];
    return lower === upper || upper.length !== lower.length ? letter : `[${lower}${upper}]`;
  });
  return `*${either.join("")}*`;
}
