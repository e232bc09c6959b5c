import type { Chosen } from "./uploads";

const MOST = 20_000;

/** The files of a file field; those of a chosen folder know where in it they lay. */
export function fromField(files: FileList | null): Chosen[] {
  return [...(files ?? [])]
    .filter((file) => !isHidden(file.name))
    .map((file) => ({ file, folder: parentOf(file.webkitRelativePath) }));
}

/** The files of what was dropped, folders with all that lies below them. */
export async function fromDrop(transfer: DataTransfer): Promise<Chosen[]> {
  // The list of what was dropped is gone after the first wait.
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  const found: Chosen[] = [];
  for (const entry of entries) await collect(entry, found);
  return found;
}

async function collect(entry: FileSystemEntry, found: Chosen[]): Promise<void> {
  if (found.length >= MOST || isHidden(entry.name)) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => {
      (entry as FileSystemFileEntry).file(resolve, reject);
    });
    found.push({ file, folder: parentOf(entry.fullPath.replace(/^\/+/, "")) });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A folder is told in parts; an empty part is the end.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (part.length === 0) return;
    for (const each of part) await collect(each, found);
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function isHidden(name: string): boolean {
  return name.startsWith(".") || name === "Thumbs.db";
}
