/** Writes a request to the API as a command; the key comes from the environment, so that no key is copied. */
export function asCurl(address: string, body: unknown): string {
  const text = JSON.stringify(body).replaceAll("'", String.raw`'\''`);
  return [
    `curl -sS '${address}'`,
    `-H "Authorization: Bearer $ATOLL_API_KEY"`,
    `-H 'Content-Type: application/json'`,
    `-d '${text}'`,
  ].join(" \\\n  ");
}
