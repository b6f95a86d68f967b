import type { io } from '@tensorflow/tfjs-core';
import { MalformedFileError } from '../errors.ts';
import { isObject, type JsonObject, kind } from '../json.ts';
import { type Limits, within } from '../limits.ts';

/** Bytes of one value, as TensorFlow.js stores it. Strings have a length of their own. */
const BYTES: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, complex64: 8, string: 0 };
const QUANTIZED: Readonly<Record<string, number>> = { uint8: 1, uint16: 2, float16: 2 };

/**
 * Checks the specifications of weights, and the weights' bytes where they are there.
 * Returns the largest dimension that any weight has: what no layer's number of units can exceed. Infinity without weights.
 */
export function checkWeights(
  specs: readonly io.WeightsManifestEntry[] | undefined,
  data: io.WeightData | undefined,
  limits: Limits,
): number {
  if (specs === undefined || specs === null) {
    if (data === undefined || data === null) return Number.POSITIVE_INFINITY;
    throw new MalformedFileError('The model has weights, but no specifications of them.');
  }
  const bytes = bytesOfSpecs(specs, limits);
  let largest = 0;
  for (const { shape } of specs) for (const length of shape) largest = Math.max(largest, length);
  if (specs.length === 0) largest = Number.POSITIVE_INFINITY;
  if (data === undefined || data === null) return largest;
  const buffers = Array.isArray(data) ? data : [data];
  if (!buffers.every((buffer) => buffer instanceof ArrayBuffer)) {
    throw new MalformedFileError("'weightData' should be an ArrayBuffer or a list of them.");
  }
  const given = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
  const needed = bytes ?? bytesWithStrings(specs, buffers);
  if (given !== needed) {
    const missing = given < needed ? 'so that some are missing' : 'so that they belong to another model';
    throw new MalformedFileError(
      `The weights should have ${needed} bytes by their specifications, but have ${given}, ${missing}.`,
    );
  }
  return largest;
}

/**
 * Checks the specifications of weights alone. Returns how many bytes they describe; undefined where some are strings,
 * which say so themselves.
 */
export function bytesOfSpecs(specs: unknown, limits: Limits): number | undefined {
  if (!Array.isArray(specs)) {
    throw new MalformedFileError(`The specifications of weights should be a list, but are ${kind(specs)}.`);
  }
  within(limits, 'maxWeights', specs.length, 'The number of weights');
  const names = new Set<string>();
  let total = 0;
  let strings = false;
  for (const [at, spec] of specs.entries()) {
    if (!isObject(spec)) {
      throw new MalformedFileError(
        `The specification of weight ${at} should be an object, but is ${kind(spec)}.`,
      );
    }
    const bytes = bytesOfSpec(spec, at, names, limits);
    if (bytes === undefined) strings = true;
    else total += bytes;
    within(limits, 'maxBytes', total, 'The bytes of all weights');
  }
  return strings ? undefined : total;
}

function bytesOfSpec(spec: JsonObject, at: number, names: Set<string>, limits: Limits): number | undefined {
  const { name, shape, dtype, quantization } = spec;
  if (typeof name !== 'string' || name === '') {
    throw new MalformedFileError(`Weight ${at} should have a name, but it is ${kind(name)}.`);
  }
  if (names.has(name)) throw new MalformedFileError(`Two weights are called '${name}'.`);
  names.add(name);
  if (
    !Array.isArray(shape) ||
    !shape.every((length) => Number.isSafeInteger(length) && (length as number) >= 0)
  ) {
    throw new MalformedFileError(
      `The shape of the weight '${name}' should be a list of numbers of at least 0, but is ${JSON.stringify(shape)?.slice(0, 80)}.`,
    );
  }
  if (shape.length > 8) throw new MalformedFileError(`The weight '${name}' has ${shape.length} dimensions.`);
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES, dtype)) {
    throw new MalformedFileError(
      `The weight '${name}' is of type ${JSON.stringify(dtype)}; there are ${Object.keys(BYTES).join(', ')}.`,
    );
  }
  const size = (shape as number[]).reduce((a, b) => a * b, 1);
  within(limits, 'maxBytes', size, `The number of values of the weight '${name}'`);
  if (quantization === undefined || quantization === null)
    return dtype === 'string' ? undefined : size * BYTES[dtype]!;
  return size * bytesOfQuantized(name, dtype, quantization);
}

function bytesOfQuantized(name: string, dtype: string, quantization: unknown): number {
  const what = `The quantization of the weight '${name}'`;
  if (!isObject(quantization))
    throw new MalformedFileError(`${what} should be an object, but is ${kind(quantization)}.`);
  const { dtype: stored, scale, min } = quantization;
  if (typeof stored !== 'string' || !Object.hasOwn(QUANTIZED, stored)) {
    throw new MalformedFileError(
      `${what} is to ${JSON.stringify(stored)}; there are ${Object.keys(QUANTIZED).join(', ')}.`,
    );
  }
  if (dtype !== 'float32' && (dtype !== 'int32' || stored === 'float16')) {
    throw new MalformedFileError(`${what} is of ${dtype} to ${stored}, which TensorFlow.js does not read.`);
  }
  const numbers = [scale, min].every((value) => typeof value === 'number' && Number.isFinite(value));
  if (stored !== 'float16' && !numbers) {
    throw new MalformedFileError(`${what} needs a scale and a min, both finite numbers.`);
  }
  return QUANTIZED[stored]!;
}

/** How many bytes weights take of which some are strings: each has its length, in 4 bytes, before it. */
function bytesWithStrings(
  specs: readonly io.WeightsManifestEntry[],
  buffers: readonly ArrayBuffer[],
): number {
  // Models with strings are small: tables of words.
  const bytes = buffers.length === 1 ? new Uint8Array(buffers[0]!) : joined(buffers);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { name, shape, dtype, quantization } of specs) {
    const size = shape.reduce((a, b) => a * b, 1);
    if (dtype !== 'string') {
      at += size * (quantization ? QUANTIZED[quantization.dtype]! : BYTES[dtype]!);
      continue;
    }
    for (let i = 0; i < size; i++) {
      if (at + 4 > bytes.length) {
        throw new MalformedFileError(
          `The weight '${name}' should have ${size} strings, but the weights end after ${i} of them.`,
        );
      }
      at += 4 + view.getUint32(at, true);
    }
  }
  return at;
}

function joined(buffers: readonly ArrayBuffer[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(buffers.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const buffer of buffers) {
    result.set(new Uint8Array(buffer), at);
    at += buffer.byteLength;
  }
  return result;
}
