import type { ByteSource } from '../bytes/byte-source.ts';
import { Cursor } from '../bytes/cursor.ts';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import { type Limits, within } from '../limits.ts';
import { copyChunk } from './chunks.ts';
import { type Datatype, elementsOf, readDataspace, readDatatype } from './datatype.ts';
import { type Filter, readFilters, unfilter } from './filters.ts';
import { readTree } from './links.ts';
import { MESSAGE, type Message, RESAVE } from './messages.ts';

type Layout =
  | { readonly kind: 'compact'; readonly data: Uint8Array }
  | { readonly kind: 'contiguous'; readonly address: number; readonly size: number }
  | { readonly kind: 'chunked'; readonly address: number; readonly chunk: readonly number[] };

/** A dataset of an HDF5 file. Nothing of its values was read. */
export interface Dataset {
  readonly name: string;
  readonly type: Datatype;
  readonly shape: readonly number[];
  readonly layout: Layout;
  readonly filters: readonly Filter[];
}

/** Deflate makes at most 1,032 bytes of one; what claims more than this of its file was not written by anyone. */
const MAX_EXPANSION = 1_100;
/** Below this a claim is not worth a question. */
const SMALL = 1 << 16;

/** What the messages of an object say of it as a dataset; undefined when it is none. */
export function readDataset(
  file: ByteSource,
  name: string,
  messages: readonly Message[],
  limits: Limits,
): Dataset | undefined {
  const bytesOf = (type: number) => messages.find((message) => message.type === type)?.bytes;
  const space = bytesOf(MESSAGE.dataspace);
  const typeBytes = bytesOf(MESSAGE.datatype);
  const layoutBytes = bytesOf(MESSAGE.layout);
  if (!space || !typeBytes || !layoutBytes) return undefined;
  const what = `The dataset '${name}' of ${file.name}`;
  const shape = readDataspace(new Cursor(space, what), what);
  if (shape === undefined) throw new MalformedFileError(`${what} has no value.`);
  const type = readDatatype(new Cursor(typeBytes, what), what);
  const bytes = elementsOf(shape) * type.size;
  within(limits, 'maxBytes', bytes, `The bytes of the dataset '${name}'`);
  if (bytes > SMALL && bytes > MAX_EXPANSION * file.size) {
    throw new MalformedFileError(`${what} claims ${bytes} bytes, in a file of ${file.size}.`);
  }
  const filterBytes = bytesOf(MESSAGE.filters);
  const filters = filterBytes ? readFilters(filterBytes, what) : [];
  return {
    name,
    type,
    shape,
    layout: readLayout(new Cursor(layoutBytes, what), shape.length, what),
    filters,
  };
}

/** HDF5 File Format Specification, IV.A.2.i. */
function readLayout(cursor: Cursor, rank: number, what: string): Layout {
  const version = cursor.u8();
  if (version !== 3 && version !== 4) {
    throw new UnsupportedFileError(`${what} is laid out in version ${version}. ${RESAVE}`);
  }
  const kind = cursor.u8();
  if (kind === 0) return { kind: 'compact', data: cursor.take(cursor.u16()) };
  if (kind === 1) return { kind: 'contiguous', address: cursor.u64(), size: cursor.u64() };
  if (kind !== 2 || version === 4) {
    throw new UnsupportedFileError(
      `${what} is laid out in a way that needs libver='latest' or a virtual file. ${RESAVE}`,
    );
  }
  const dimensions = cursor.u8();
  if (dimensions !== rank + 1) throw new MalformedFileError(`${what} has chunks of another rank.`);
  const address = cursor.u64();
  const chunk = Array.from({ length: rank }, () => cursor.u32());
  if (chunk.includes(0)) throw new MalformedFileError(`${what} has empty chunks.`);
  return { kind: 'chunked', address, chunk };
}

/** The values of a dataset as they are stored, in row-major order. */
export async function readValues(file: ByteSource, dataset: Dataset, limits: Limits): Promise<Uint8Array> {
  const { name, type, shape, layout } = dataset;
  const size = elementsOf(shape) * type.size;
  const what = `The dataset '${name}' of ${file.name}`;
  if (size === 0) return new Uint8Array(0);
  if (layout.kind === 'chunked') return readChunks(file, dataset, layout, size, limits);
  if (layout.kind === 'compact') {
    if (layout.data.length === size) return layout.data;
    throw new MalformedFileError(`${what} has ${layout.data.length} bytes instead of ${size}.`);
  }
  if (layout.address === Number.POSITIVE_INFINITY) throw new MalformedFileError(`${what} was never written.`);
  if (layout.size !== size) {
    throw new MalformedFileError(`${what} has ${layout.size} bytes, but its shape [${shape}] needs ${size}.`);
  }
  return file.read(layout.address, size);
}

async function readChunks(
  file: ByteSource,
  { name, type, shape, filters }: Dataset,
  { address, chunk }: { address: number; chunk: readonly number[] },
  size: number,
  limits: Limits,
): Promise<Uint8Array> {
  const what = `The dataset '${name}' of ${file.name}`;
  const chunkSize = elementsOf(chunk) * type.size;
  within(limits, 'maxBytes', chunkSize, `The bytes of a chunk of the dataset '${name}'`);
  if (chunkSize > SMALL && chunkSize > MAX_EXPANSION * file.size) {
    throw new MalformedFileError(`${what} claims chunks of ${chunkSize} bytes, in a file of ${file.size}.`);
  }
  const wanted = elementsOf(shape.map((length, axis) => Math.ceil(length / chunk[axis]!)));
  const entries = await readTree(file, address, 1, 8 + 8 * (shape.length + 1));
  // A chunk that is left out stands for zeros; Keras writes all of them, so it is lost.
  if (entries.length !== wanted) {
    throw new MalformedFileError(`${what} has ${entries.length} chunks instead of ${wanted}.`);
  }
  const result = new Uint8Array(size);
  const seen = new Set<string>();
  for (const entry of entries) {
    const key = new Cursor(entry.key, what);
    const stored = key.u32();
    const mask = key.u32();
    const offset = shape.map(() => key.u64());
    const misplaced = offset.some((at, axis) => at % chunk[axis]! !== 0 || at >= shape[axis]!);
    if (misplaced || seen.has(String(offset))) throw new MalformedFileError(`${what} has a misplaced chunk.`);
    seen.add(String(offset));
    const bytes = await file.read(entry.address, stored);
    const values = unfilter(bytes, filters, mask, chunkSize, type.size, what);
    copyChunk(values, chunk, result, shape, offset, type.size);
  }
  return result;
}
