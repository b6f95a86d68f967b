import type { ByteSource } from '../bytes/byte-source.ts';
import { Cursor } from '../bytes/cursor.ts';
import { MalformedFileError, UnsupportedFileError } from '../errors.ts';
import { type Limits, within } from '../limits.ts';
import { type ChunkPlace, copyChunk } from './chunks.ts';
import { type Datatype, elementsOf, readDataspace, readDatatype } from './datatype.ts';
import { type Filter, readFilters, unfilter } from './filters.ts';
import { readTree } from './links.ts';
import { type CheckedBlock, MESSAGE, type Message, RESAVE } from './messages.ts';

type Layout =
  | {
      readonly kind: 'compact';
      readonly data: Uint8Array;
      readonly at: number;
      readonly checked?: CheckedBlock;
    }
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
  const messageOf = (type: number) => messages.find((message) => message.type === type);
  const bytesOf = (type: number) => messageOf(type)?.bytes;
  const space = bytesOf(MESSAGE.dataspace);
  const typeBytes = bytesOf(MESSAGE.datatype);
  const layout = messageOf(MESSAGE.layout);
  if (!space || !typeBytes || !layout) return undefined;
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
    layout: readLayout(layout, shape.length, what),
    filters,
  };
}

/** HDF5 File Format Specification, IV.A.2.i. */
function readLayout({ bytes, at, checked }: Message, rank: number, what: string): Layout {
  const cursor = new Cursor(bytes, what);
  const version = cursor.u8();
  if (version !== 3 && version !== 4) {
    throw new UnsupportedFileError(`${what} is laid out in version ${version}. ${RESAVE}`);
  }
  const kind = cursor.u8();
  if (kind === 0) {
    const data = cursor.take(cursor.u16());
    return { kind: 'compact', data, at: at + cursor.at - data.length, ...(checked && { checked }) };
  }
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
  if (layout.kind === 'chunked') {
    const chunks = await chunksOf(file, dataset, layout, limits);
    const result = new Uint8Array(size);
    for (const chunk of chunks) {
      copyChunk(await readChunk(file, dataset, chunk), result, chunk.place);
    }
    return result;
  }
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

/** A chunk of a dataset, as the file describes it. */
export interface Chunk {
  /** Where the file says so: first the chunk's length as stored, in 4 bytes; behind the key its address. */
  readonly keyAt: number;
  readonly addressAt: number;
  readonly address: number;
  /** Bytes as they are stored, behind the filters. */
  readonly stored: number;
  /** Bit i says that filter i was left out. */
  readonly mask: number;
  /** Bytes before the filters. */
  readonly size: number;
  readonly place: ChunkPlace;
}

/** All chunks of a dataset. Throws `MalformedFileError` unless each is there, once and in its place. */
export async function chunksOf(
  file: ByteSource,
  { name, type, shape }: Dataset,
  { address, chunk }: { readonly address: number; readonly chunk: readonly number[] },
  limits: Limits,
): Promise<Chunk[]> {
  const what = `The dataset '${name}' of ${file.name}`;
  const size = elementsOf(chunk) * type.size;
  within(limits, 'maxBytes', size, `The bytes of a chunk of the dataset '${name}'`);
  if (size > SMALL && size > MAX_EXPANSION * file.size) {
    throw new MalformedFileError(`${what} claims chunks of ${size} bytes, in a file of ${file.size}.`);
  }
  const wanted = elementsOf(shape.map((length, axis) => Math.ceil(length / chunk[axis]!)));
  const entries = await readTree(file, address, 1, 8 + 8 * (shape.length + 1));
  // A chunk that is left out stands for zeros; Keras writes all of them, so it is lost.
  if (entries.length !== wanted) {
    throw new MalformedFileError(`${what} has ${entries.length} chunks instead of ${wanted}.`);
  }
  const seen = new Set<string>();
  return entries.map((entry) => {
    const key = new Cursor(entry.key, what);
    const stored = key.u32();
    const mask = key.u32();
    const offset = shape.map(() => key.u64());
    const misplaced = offset.some((at, axis) => at % chunk[axis]! !== 0 || at >= shape[axis]!);
    if (misplaced || seen.has(String(offset))) throw new MalformedFileError(`${what} has a misplaced chunk.`);
    seen.add(String(offset));
    const place = { chunkShape: chunk, shape, offset, elementSize: type.size };
    const addressAt = entry.at + entry.key.length;
    return { keyAt: entry.at, addressAt, address: entry.address, stored, mask, size, place };
  });
}

/** A chunk as it was before the filters. */
export async function readChunk(
  file: ByteSource,
  { name, type, filters }: Dataset,
  chunk: Chunk,
): Promise<Uint8Array> {
  const { address, stored, mask, size } = chunk;
  const what = `The dataset '${name}' of ${file.name}`;
  return unfilter(await file.read(address, stored), filters, mask, size, type.size, what);
}
