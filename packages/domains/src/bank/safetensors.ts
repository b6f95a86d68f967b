/**
 * The safetensors format (https://huggingface.co/docs/safetensors), as much of it as a bank of float32 vectors needs:
 * 8 bytes of header length (little-endian), a JSON header, and the values one after the other.
 */
import { BankFileError } from '../errors.ts';

/** A named float32 vector. */
export interface NamedVector {
  readonly name: string;
  readonly values: Float32Array;
}

export interface Safetensors {
  /** What the header has under `__metadata__`, in its order. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly vectors: readonly NamedVector[];
}

const LENGTH_BYTES = 8;
/** Values begin at a multiple of this, so that readers can map them into memory. */
const ALIGNMENT = 8;
const VALUE_BYTES = 4;

/** The same bytes for the same content: metadata first, then the vectors, both in the order in which they come. */
export function writeSafetensors({ metadata, vectors }: Safetensors): Uint8Array {
  let end = 0;
  const entries = vectors.map(({ name, values }) => {
    const begin = end;
    end += values.length * VALUE_BYTES;
    return [name, { dtype: 'F32', shape: [values.length], data_offsets: [begin, end] }];
  });
  const json = JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...entries]));
  const header = new TextEncoder().encode(json);
  const dataStart = Math.ceil((LENGTH_BYTES + header.length) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(dataStart + end);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(dataStart - LENGTH_BYTES), true);
  bytes.set(header, LENGTH_BYTES);
  bytes.fill(' '.charCodeAt(0), LENGTH_BYTES + header.length, dataStart);
  let offset = dataStart;
  for (const { values } of vectors) {
    for (const value of values) {
      view.setFloat32(offset, value, true);
      offset += VALUE_BYTES;
    }
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
  const { __metadata__: metadata = {}, ...tensors } = header;
  let end = 0;
  const vectors = Object.entries(tensors).map(([name, tensor]) => {
    const size = sizeOf(name, tensor, end);
    const begin = dataStart + end;
    end += size * VALUE_BYTES;
    if (dataStart + end > bytes.length) {
      throw new BankFileError(
        `Tensor '${name}': expected its values to end within the file of ${bytes.length} bytes, ` +
          `got an end at byte ${dataStart + end}.`,
      );
    }
    const values = Float32Array.from({ length: size }, (_, i) =>
      view.getFloat32(begin + i * VALUE_BYTES, true),
    );
    return { name, values };
  });
  if (dataStart + end !== bytes.length) {
    throw new BankFileError(
      `Expected the file to end with its last tensor, at byte ${dataStart + end}, got ${bytes.length} bytes.`,
    );
  }
  return { metadata: checkedMetadata(metadata), vectors };
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
  throw new BankFileError(`Expected a JSON object as the header, got ${JSON.stringify(header)}.`);
}

/** Values of a vector that must begin at `begin`. */
function sizeOf(name: string, tensor: unknown, begin: number): number {
  const { dtype, shape, data_offsets: offsets } = isObject(tensor) ? tensor : {};
  if (dtype !== 'F32') throw expected(name, "dtype 'F32'", dtype);
  if (!Array.isArray(shape) || shape.length !== 1 || !Number.isSafeInteger(shape[0]) || shape[0] < 1) {
    throw expected(name, 'a shape of one dimension, at least 1', shape);
  }
  const end = begin + shape[0] * VALUE_BYTES;
  if (!Array.isArray(offsets) || offsets.length !== 2 || offsets[0] !== begin || offsets[1] !== end) {
    throw expected(name, `data_offsets [${begin}, ${end}], without overlap or gap`, offsets);
  }
  return shape[0];
}

function checkedMetadata(metadata: unknown): Record<string, string> {
  const strings = isObject(metadata) && Object.values(metadata).every((value) => typeof value === 'string');
  if (strings) return metadata as Record<string, string>;
  throw new BankFileError(`Expected __metadata__ to hold strings, got ${JSON.stringify(metadata)}.`);
}

function expected(name: string, what: string, came: unknown): BankFileError {
  return new BankFileError(`Tensor '${name}': expected ${what}, got ${JSON.stringify(came)}.`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
