// From the path that someone names to a source: what a file is, its name and its first bytes tell.
import { open, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '../errors.ts';
import type { DataSource } from './description.ts';

/** @throws {DataError} if there is nothing, or something that is not read here. */
export async function findSource(given: string, labels?: string): Promise<DataSource> {
  const path = resolve(given);
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'does not exist' : `cannot be read: ${error.message}`;
    throw new DataError(`${given} ${reason}.`, { cause: error });
  });
  const source = stats.isDirectory() ? ({ kind: 'folder', path } as const) : await fileSource(path, given);
  if (labels === undefined)
    return source.kind === 'idx' ? { ...source, labels: await labelsBeside(path) } : source;
  if (source.kind === 'idx') return { ...source, labels: resolve(labels) };
  throw new DataError(
    `--labels names a file of labels for data in the idx format, but ${given} is none. Labels of a folder are its ` +
      'sub-folders, those of an .npz its array y.',
  );
}

async function fileSource(path: string, given: string): Promise<DataSource> {
  if (/\.(mjs|cjs|js|mts|ts)$/.test(path)) return { kind: 'module', path };
  const head = await firstBytes(path);
  if (head.startsWith('\x93NUMPY')) return { kind: 'npy', path };
  if (head.startsWith('PK\x03\x04')) return { kind: 'npz', path };
  if (/idx\d|\.idx/.test(basename(path)) || looksLikeIdx(head)) return { kind: 'idx', path, labels: null };
  throw new DataError(
    `${given} is none of the data that is read here: a folder of pictures, an .npy or .npz of NumPy, a file in the idx ` +
      'format of MNIST, or a JavaScript module. One picture? Name the folder that it is in.',
  );
}

async function firstBytes(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(8), 0, 8, 0);
    return String.fromCharCode(...buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** MNIST's files come in pairs: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`. */
async function labelsBeside(path: string): Promise<string | null> {
  const name = basename(path);
  const other = name.replace('images', 'labels').replace('idx3', 'idx1');
  if (other === name) return null;
  const labels = join(dirname(path), other);
  return (await stat(labels).catch(() => undefined))?.isFile() ? labels : null;
}

/** Two zeros, a type of number, and one to eight axes. */
function looksLikeIdx(head: string): boolean {
  const [first, second, type = 0, axes = 0] = Array.from(head, (letter) => letter.charCodeAt(0));
  return first === 0 && second === 0 && type >= 0x08 && type <= 0x0e && axes >= 1 && axes <= 8;
}
