/** Returns the text of src/api/schema.ts. */
export function render(api: unknown): string;
