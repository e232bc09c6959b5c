/** Endings of names that a choice of files offers; what a file is, the gateway tells by its content. */
const ENDINGS = `
  .pdf .docx .docm .dotx .dotm .xlsx .xlsm .xltx .xltm .pptx .pptm .ppsx .ppsm .potx
  .png .jpg .jpeg .tif .tiff .webp .gif .bmp .epub .odt .ott .ods .odp .rtf .zip .gz .tgz .tar
  .json .jsonl .ndjson .xml .eml .mbox .csv .tsv .tab .md .markdown .html .htm .xhtml
  .txt .text .log .rst .adoc .tex
  .py .js .mjs .ts .tsx .jsx .java .kt .scala .c .h .cc .cpp .hpp .cs .go .rs .rb .php .swift .lua .pl .r .jl
  .sh .bash .ps1 .bat .sql .css .scss .yaml .yml .toml .ini .cfg .conf .properties .tf .proto .graphql
  .gradle .cmake
`
  .trim()
  .split(/\s+/);

export const ACCEPTED = ENDINGS.join(",");

/** Whether a name is that of a format that is read; others are refused by the gateway, unless their content is text. */
export function isAccepted(name: string): boolean {
  const lower = name.toLowerCase();
  return ENDINGS.some((ending) => lower.endsWith(ending));
}
