// The safetensors format (https://huggingface.co/docs/safetensors), as much of it as a bank of float32 tensors needs:
// 8 bytes of header length (little-endian), a JSON header, and the values one after the other.
import { shown } from '@rebatch/stats/~internal';
import { BankFileError } from '../errors.ts';

/** A named float32 tensor of one or two dimensions. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface Safetensors {
  /** What the header has under `__metadata__`, in its order. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly NamedTensor[];
}

const LENGTH_BYTES = 8;
/** Values begin at a multiple of this, so that readers can map them into memory. */
const ALIGNMENT = 8;
const VALUE_BYTES = 4;
/** The order of bytes in the file. */
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/**
 * How a file of such content begins, up to its values: the length of the header, and the header. The same bytes for the
 * same content: metadata first, then the tensors, both in the order in which they come.
 */
export function beginningOf(
  metadata: Safetensors['metadata'],
  tensors: readonly Omit<NamedTensor, 'values'>[],
): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, shape }) => {
    const begin = end;
    end += product(shape) * VALUE_BYTES;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }];
  });
  const json = JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...entries]));
  const header = new TextEncoder().encode(json);
  const dataStart = Math.ceil((LENGTH_BYTES + header.length) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(dataStart).fill(' '.charCodeAt(0));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - LENGTH_BYTES), true);
  bytes.set(header, LENGTH_BYTES);
  return bytes;
}

/** The whole file. */
export function writeSafetensors({ metadata, tensors }: Safetensors): Uint8Array {
  const beginning = beginningOf(metadata, tensors);
  const size = tensors.reduce((sum, { values }) => sum + values.length * VALUE_BYTES, 0);
  const bytes = new Uint8Array(beginning.length + size);
  bytes.set(beginning);
  let offset = beginning.length;
  for (const { values } of tensors) {
    const own = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    bytes.set(IS_LITTLE_ENDIAN ? own : reversed(own), offset);
    offset += own.length;
  }
  return bytes;
}

/**
 * Reads what `writeSafetensors` writes. Values lie one after the other in the order of the header, without gaps.
 *
 * @throws {BankFileError} for anything else.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const room = bytes.length - LENGTH_BYTES;
  const length = room >= 0 ? view.getBigUint64(0, true) : 0n;
  if (length === 0n || length > BigInt(room)) {
    throw new BankFileError(
      `Expected a header of 1 to ${Math.max(0, room)} bytes in a file of ${bytes.length}, got a length of ${length}. ` +
        'The file is cut off, or not in the safetensors format.',
    );
  }
  const dataStart = LENGTH_BYTES + Number(length);
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, dataStart));
  const { __metadata__: metadata = {}, ...entries } = header;
  let end = 0;
  const tensors = Object.entries(entries).map(([name, tensor]): NamedTensor => {
    const shape = shapeOf(name, tensor, end);
    const begin = dataStart + end;
    end += product(shape) * VALUE_BYTES;
    if (dataStart + end > bytes.length) {
      throw new BankFileError(
        `Tensor '${name}': expected its values to end within the file of ${bytes.length} bytes, ` +
          `got an end at byte ${dataStart + end}.`,
      );
    }
    const own = bytes.subarray(begin, dataStart + end);
    // A copy, whatever class of array it is: that begins at a multiple of 4.
    const copy = IS_LITTLE_ENDIAN ? new Uint8Array(own) : reversed(own);
    return { name, shape, values: new Float32Array(copy.buffer) };
  });
  if (dataStart + end !== bytes.length) {
    throw new BankFileError(
      `Expected the file to end with its last tensor, at byte ${dataStart + end}, got ${bytes.length} bytes.`,
    );
  }
  return { metadata: checkedMetadata(metadata), tensors };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new BankFileError(`Expected a header in JSON, got something else: ${String(error)}`, {
      cause: error,
    });
  }
  if (isObject(header)) return header;
  throw new BankFileError(`Expected a JSON object as the header, got ${shown(header)}.`);
}

/** The shape of a tensor whose values must begin at `begin`. */
function shapeOf(name: string, tensor: unknown, begin: number): number[] {
  const { dtype, shape, data_offsets: offsets } = isObject(tensor) ? tensor : {};
  if (dtype !== 'F32') throw expected(name, "dtype 'F32'", dtype);
  const isShape =
    Array.isArray(shape) &&
    (shape.length === 1 || shape.length === 2) &&
    shape.every((size) => Number.isSafeInteger(size) && size >= 1);
  if (!isShape) throw expected(name, 'a shape of one or two dimensions, each at least 1', shape);
  const end = begin + product(shape) * VALUE_BYTES;
  if (!Array.isArray(offsets) || offsets.length !== 2 || offsets[0] !== begin || offsets[1] !== end) {
    throw expected(name, `data_offsets [${begin}, ${end}], without overlap or gap`, offsets);
  }
  return shape;
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, size) => total * size, 1);
}

/** The values with the bytes of each in the other order, for machines that keep them so. */
function reversed(values: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) copy[i] = values[(i & ~3) + 3 - (i & 3)]!;
  return copy;
}

function checkedMetadata(metadata: unknown): Record<string, string> {
  const strings = isObject(metadata) && Object.values(metadata).every((value) => typeof value === 'string');
  if (strings) return metadata as Record<string, string>;
  throw new BankFileError(`Expected __metadata__ to hold strings, got ${shown(metadata)}.`);
}

function expected(name: string, what: string, came: unknown): BankFileError {
  return new BankFileError(`Tensor '${name}': expected ${what}, got ${shown(came)}.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
