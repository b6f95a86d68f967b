// The format of MNIST: two zeros, a type, the number of axes, their sizes, and the values, big-endian.
import type { ByteSource } from '@rebatch/files/node/~internal';
import { DataError } from '../../errors.ts';
import { checkArray, type NumberType, type SampleArray } from './sample-array.ts';

const TYPES: ReadonlyMap<number, NumberType> = new Map([
  [0x08, { bytes: 1, isByte: true, read: (view, at) => view.getUint8(at) }],
  [0x09, { bytes: 1, isByte: false, read: (view, at) => view.getInt8(at) }],
  [0x0b, { bytes: 2, isByte: false, read: (view, at) => view.getInt16(at) }],
  [0x0c, { bytes: 4, isByte: false, read: (view, at) => view.getInt32(at) }],
  [0x0d, { bytes: 4, isByte: false, read: (view, at) => view.getFloat32(at) }],
  [0x0e, { bytes: 8, isByte: false, read: (view, at) => view.getFloat64(at) }],
]);

/** @throws {DataError} unless it is such an array, as long as its header says. */
export async function readIdx(source: ByteSource): Promise<SampleArray> {
  const { name } = source;
  const head = await source.read(0, Math.min(4, source.size));
  const type = TYPES.get(head[2] ?? 0);
  const rank = head[3] ?? 0;
  if (head.length < 4 || head[0] !== 0 || head[1] !== 0 || type === undefined || rank < 1 || rank > 8) {
    throw new DataError(`${name} is no file in the idx format of MNIST.`);
  }
  if (source.size < 4 + 4 * rank) throw new DataError(`${name}: its header is cut short.`);
  const sizes = await source.read(4, 4 * rank);
  const view = new DataView(sizes.buffer, sizes.byteOffset, sizes.byteLength);
  const [samples, ...shape] = Array.from({ length: rank }, (_, i) => view.getUint32(4 * i)) as [
    number,
    ...number[],
  ];
  return checkArray({ name, samples, shape, type, offset: 4 + 4 * rank, source });
}
