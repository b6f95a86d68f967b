import { type ByteSource, blobSource, bytesSource } from './bytes/byte-source.ts';
import { FileAccessError, MalformedFileError, UnsupportedFileError } from './errors.ts';
import { fetchFiles } from './fetch-files.ts';
import { kind } from './json.ts';
import type { Limits } from './limits.ts';
import type { FileSet } from './tfjs/model-files.ts';

/** A file with a name: one that was read already, or a browser's File. */
export type SourceFile = { readonly name: string; readonly bytes: Uint8Array | ArrayBuffer | Blob } | File;

/** What `openModel` opens: an address, the bytes of a file, a Blob or File, or files that belong together. */
export type ModelSource = string | URL | Uint8Array | ArrayBuffer | Blob | readonly SourceFile[];

/** The files of a source, and which of them is the model. */
export async function placeOf(
  source: ModelSource,
  limits: Limits,
  signal: AbortSignal | undefined,
): Promise<{ files: FileSet; model: string }> {
  if (typeof source === 'string' || source instanceof URL) return fetchFiles(source, limits, signal);
  if (Array.isArray(source)) return filesOf(source as readonly SourceFile[]);
  const single = sourceOf('the file', source as Uint8Array);
  return filesOf([{ name: nameOf(source), bytes: single.content }]);
}

function nameOf(source: unknown): string {
  return typeof File !== 'undefined' && source instanceof File ? source.name : 'the file';
}

function filesOf(list: readonly SourceFile[]): { files: FileSet; model: string } {
  const files = new Map<string, Content>();
  for (const file of list) {
    if (typeof file !== 'object' || file === null || typeof file.name !== 'string') {
      throw new FileAccessError(`Each file should have a name and bytes, but one is ${kind(file)}.`);
    }
    // What a visitor chose as a folder has its path from there on.
    const path = ('webkitRelativePath' in file && file.webkitRelativePath) || file.name;
    if (files.has(path)) throw new MalformedFileError(`Two files are called '${path}'.`);
    files.set(path, sourceOf(path, 'bytes' in file && !(file instanceof Blob) ? file.bytes : (file as Blob)));
  }
  const model = modelAmong([...files.keys()]);
  const folder = model.slice(0, model.lastIndexOf('/') + 1);
  return {
    model: model.slice(folder.length),
    files: {
      name: model,
      async open(path) {
        const found = files.get(folder + path);
        if (found) return found.open();
        throw new FileAccessError(
          `'${path}' of ${model} was not given, only ${[...files.keys()].slice(0, 5).join(', ')}: give all files of the model together.`,
        );
      },
    },
  };
}

/** The file of several that is the model; the others belong to it. */
function modelAmong(names: readonly string[]): string {
  if (names.length === 0) throw new FileAccessError('There is no file to open.');
  if (names.length === 1) return names[0]!;
  const savedModel = names.find((name) => /(^|\/)saved_model\.pb$/.test(name));
  if (savedModel !== undefined) return savedModel;
  for (const pattern of [/(^|\/)model\.json$/, /\.json$/, /\.keras$/, /\.(h5|hdf5)$/]) {
    const found = names.filter((name) => pattern.test(name));
    if (found.length === 1) return found[0]!;
    if (found.length > 1) {
      throw new UnsupportedFileError(
        `There are several models, ${found.slice(0, 3).join(', ')}: open one at a time.`,
      );
    }
  }
  return names.find((name) => !name.endsWith('.bin')) ?? names[0]!;
}

interface Content {
  readonly content: Uint8Array | Blob;
  open(): ByteSource;
}

function sourceOf(name: string, value: Uint8Array | ArrayBuffer | Blob): Content {
  if (value instanceof Blob) return { content: value, open: () => blobSource(name, value) };
  const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value;
  if (bytes instanceof Uint8Array) return { content: bytes, open: () => bytesSource(name, bytes) };
  throw new FileAccessError(
    `${name} should be bytes, a Blob, an address or a list of files, but is ${kind(value)}.`,
  );
}
