// Files of arrays, opened: which of them are inputs, and which is the labels.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ModelFileError } from '@rebatch/files';
import { type ByteSource, DEFAULT_LIMITS, diskSource, ZipFile } from '@rebatch/files/node/~internal';
import { DataError } from '../../errors.ts';
import type { DataSource } from '../description.ts';
import { readIdx } from './idx.ts';
import { readNpy } from './npy.ts';
import { lengthOf, type SampleArray } from './sample-array.ts';

/** Arrays of the same samples. */
export interface Arrays {
  /** By name where the file names them. */
  readonly inputs: readonly { readonly name: string | null; readonly array: SampleArray }[];
  /**
   * Opens the labels; null where there are none. Who needs none need not have any that are.
   *
   * @throws {DataError} for labels that are damaged, or not one number for each sample.
   */
  readonly labels: (() => Promise<SampleArray>) | null;
  close(): Promise<void>;
}

/** What an archive calls its labels. */
const LABELS: readonly string[] = ['y', 'ys', 'labels'];
/** A gzipped file may unpack to so many bytes. */
const MAX_UNPACKED = 2 ** 32 - 1;

/** @throws {DataError} for a file that is damaged, or arrays that do not belong together. */
export async function openArrays(
  source: Exclude<DataSource, { kind: 'folder' | 'module' }>,
): Promise<Arrays> {
  const open: ByteSource[] = [];
  const opened = async (path: string) => {
    const file = await openFile(path);
    open.push(file);
    return file;
  };
  const close = async () => {
    await Promise.all(open.map((file) => file.close()));
  };
  try {
    const arrays = await ofThisFile(source.path, () => arraysOf(source, opened));
    const { inputs, labels } = arrays;
    const { array } = inputs[0]!;
    for (const other of inputs) checkTogether(source.path, array, other.array);
    const open = async () => {
      const read = await ofThisFile(source.path, labels!);
      checkTogether(source.path, array, read);
      checkLabels(read);
      return read;
    };
    return { inputs, labels: labels && open, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** An archive is read as those of models are. */
async function ofThisFile<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ModelFileError) throw new DataError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

async function arraysOf(
  source: Exclude<DataSource, { kind: 'folder' | 'module' }>,
  opened: (path: string) => Promise<ByteSource>,
): Promise<Omit<Arrays, 'close'>> {
  if (source.kind === 'npy') {
    return { inputs: [{ name: null, array: await readNpy(await opened(source.path)) }], labels: null };
  }
  if (source.kind === 'idx') {
    const array = await readIdx(await opened(source.path));
    const { labels } = source;
    return {
      inputs: [{ name: null, array }],
      labels: labels === null ? null : async () => readIdx(await opened(labels)),
    };
  }
  const zip = await ZipFile.open(await opened(source.path), DEFAULT_LIMITS);
  const names = [...zip.entries.keys()].filter((name) => name.endsWith('.npy'));
  const plain = (name: string) => name.slice(0, -'.npy'.length);
  const isLabels = (name: string) => LABELS.includes(plain(name));
  const read = async (name: string) => readNpy(await zip.read(name));
  const inputs = names.filter((name) => !isLabels(name));
  const labels = names.filter(isLabels);
  if (inputs.length === 0 || labels.length > 1) {
    throw new DataError(
      `${source.path}: expected arrays of inputs and at most one of labels (${LABELS.join(', ')}), got ` +
        `${names.map(plain).join(', ') || 'none'}.`,
    );
  }
  const all = [];
  for (const name of inputs) {
    all.push({ name: inputs.length === 1 ? null : plain(name), array: await read(name) });
  }
  return { inputs: all, labels: labels.length === 0 ? null : () => read(labels[0]!) };
}

function checkTogether(path: string, first: SampleArray, other: SampleArray): void {
  if (other.samples === first.samples) return;
  throw new DataError(
    `${path}: expected arrays of the same number of samples, got ${first.samples} in ${first.name} and ` +
      `${other.samples} in ${other.name}.`,
  );
}

function checkLabels(labels: SampleArray): void {
  if (lengthOf(labels) === 1) return;
  throw new DataError(
    `${labels.name}: expected one label per sample, the number of its class, got shape [${labels.shape.join(', ')}]. ` +
      'Do without them: --no-labels.',
  );
}

async function openFile(path: string): Promise<ByteSource> {
  if (!path.endsWith('.gz')) return diskSource(path, basename(path));
  let bytes: Uint8Array;
  try {
    bytes = await promisify(gunzip)(await readFile(path), { maxOutputLength: MAX_UNPACKED });
  } catch (error) {
    throw new DataError(`${path} does not unpack: ${(error as Error).message}.`, { cause: error });
  }
  return {
    name: basename(path),
    size: bytes.length,
    read: async (offset, length) => {
      if (offset + length > bytes.length) throw new DataError(`${path} is cut short.`);
      return bytes.subarray(offset, offset + length);
    },
    close: async () => {},
  };
}
