import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ByteSource, checkRange } from '../bytes/byte-source.ts';
import { FileAccessError, UnsupportedFileError } from '../errors.ts';
import type { FileSet } from '../tfjs/model-files.ts';

/** Folders that are models of other tools, by what is in them. */
const FOLDERS: readonly (readonly [file: string, advice: string])[] = [
  [
    'saved_model.pb',
    'is a SavedModel of TensorFlow. Convert it: tensorflowjs_converter --input_format=tf_saved_model --output_format=tfjs_graph_model',
  ],
  ['Manifest.json', 'is a Core ML package. Convert the model that it was made of.'],
  ['checkpoint', 'holds checkpoints of TensorFlow, which have no model. Save it with model.save in Python.'],
];

/** The folder of a model, and which file of it the model is. `path` may be the folder, where it has a `model.json`. */
export async function diskFiles(path: string): Promise<{ files: FileSet; model: string }> {
  if (!(await statOf(path)).isDirectory()) {
    return { files: folder(dirname(path)), model: basename(path) };
  }
  if (await isFile(join(path, 'model.json'))) return { files: folder(path), model: 'model.json' };
  for (const [file, advice] of FOLDERS) {
    if (await isFile(join(path, file))) throw new UnsupportedFileError(`${path} ${advice}`);
  }
  throw new FileAccessError(`${path} is a folder without a model.json. Name the file of the model.`);
}

function folder(dir: string): FileSet {
  return { name: dir, open: (path) => diskSource(join(dir, path), path) };
}

/** A file on a disk. It is opened when it is first read, so that a thousand weight files can be asked for their sizes. */
export async function diskSource(path: string, name: string): Promise<ByteSource> {
  const stats = await statOf(path);
  if (!stats.isFile()) throw new FileAccessError(`${path} is not a file.`);
  const { size } = stats;
  let handle: Promise<FileHandle> | undefined;
  return {
    name,
    size,
    async read(offset, length) {
      checkRange({ name, size }, offset, length);
      try {
        handle ??= open(path, 'r');
        const bytes = new Uint8Array(length);
        const file = await handle;
        let filled = 0;
        while (filled < length) {
          const { bytesRead } = await file.read(
            bytes,
            filled,
            Math.min(length - filled, 1 << 30),
            offset + filled,
          );
          if (bytesRead === 0) throw new FileAccessError(`${path} became shorter while it was read.`);
          filled += bytesRead;
        }
        return bytes;
      } catch (error) {
        throw accessError(path, error);
      }
    },
    async close() {
      const opened = handle;
      handle = undefined;
      await opened?.then((file) => file.close()).catch(() => {});
    },
  };
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    throw accessError(path, error);
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

function accessError(path: string, error: unknown): Error {
  if (error instanceof FileAccessError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = { ENOENT: 'does not exist', EACCES: 'may not be read', EPERM: 'may not be read' }[
    code ?? ''
  ];
  return new FileAccessError(`${path} ${reason ?? `cannot be read: ${message}`}.`, { cause: error });
}
