import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

/** A file that was dropped, with the folders above it, or chosen. */
export interface DroppedFile {
  readonly path: string;
  readonly file: File;
}

export interface DropZoneProps {
  /** What it is, for people who do not see it. */
  readonly label: string;
  readonly children: ComponentChildren;
  /** Never called with nothing. */
  readonly onFiles: (files: readonly DroppedFile[]) => void;
  /** What was dropped could not be read, such as a folder that is not allowed to be. */
  readonly onError: (error: Error) => void;
}

/** A place to drop files and folders on. Put buttons that choose files into it: not everyone can drop. */
export function DropZone({ label, children, onFiles, onError }: DropZoneProps) {
  const over = useSignal(false);
  return (
    <section
      class="drop-zone"
      aria-label={label}
      data-over={over.value}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => {
        over.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        if (event.dataTransfer === null) return;
        void readDrop(event.dataTransfer).then((files) => {
          if (files.length > 0) onFiles(files);
        }, onError);
      }}
    >
      {children}
    </section>
  );
}

/** As dropped files, with the folder that they were chosen by. */
export function chosenFiles(files: readonly File[]): DroppedFile[] {
  return files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

async function readDrop({ items, files }: DataTransfer): Promise<DroppedFile[]> {
  // Entries must be asked for before the first wait: the list is empty afterwards.
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return chosenFiles([...files]);
  return (await Promise.all(entries.map(filesIn))).flat();
}

async function filesIn(entry: FileSystemEntry): Promise<DroppedFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ path: entry.fullPath.replace(/^\//, ''), file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    // A folder is read in parts, until there is nothing more.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (part.length === 0) break;
    found.push(...part);
  }
  return (await Promise.all(found.map(filesIn))).flat();
}
