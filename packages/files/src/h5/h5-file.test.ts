// Values that h5py wrote, in every type and layout, against jsfive's reading of them.

import { File } from 'jsfive';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../bytes/byte-source.ts';
import { h5Model } from '../keras/read-h5.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { fixture } from '../testing/fixtures.ts';
import type { Datatype } from './datatype.ts';
import { H5File } from './h5-file.ts';

const { name, bytes } = fixture('keras2', 'values.h5');
const open = () => H5File.open(bytesSource(name, bytes), DEFAULT_LIMITS);
const jsfive = new File(bytes.slice().buffer, name);

/** Numbers of raw bytes, one by one. */
function numbers(values: Uint8Array, { kind, size, ...type }: Datatype): number[] {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const little = !('bigEndian' in type && type.bigEndian);
  const half = (bits: number) => {
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  };
  return Array.from({ length: values.length / size }, (_, i) => {
    const at = i * size;
    if (kind === 'float') {
      if (size === 2) return half(view.getUint16(at, little));
      return size === 4 ? view.getFloat32(at, little) : view.getFloat64(at, little);
    }
    if (size === 1) return view.getUint8(at);
    return size === 2 ? view.getInt16(at, little) : view.getInt32(at, little);
  });
}

const PATHS = [
  ...['<f4', '>f4', '<f8', '<f2', '<i4', '<u1', '<i2'].map((type) => `plain/${type}`),
  ...['2x2x2', '3x1x5', '1x7x4'].flatMap((chunks) => [`chunked/${chunks}`, `gzip/${chunks}`]),
  'bool',
];

describe('a dataset of h5py', () => {
  it.each(PATHS)('%s has the shape and values that jsfive reads', async (path) => {
    const file = await open();
    const dataset = (await file.dataset(path))!;
    const wanted = jsfive.get(path);
    expect(dataset.shape).toEqual(wanted.shape);
    expect(numbers(await file.values(dataset), dataset.type)).toEqual(wanted.value);
  });

  it('may be a scalar', async () => {
    const file = await open();
    const dataset = (await file.dataset('scalar'))!;
    expect(dataset.shape).toEqual([]);
    expect(numbers(await file.values(dataset), dataset.type)).toEqual([2.5]);
  });

  it('is found among so many that the tree of names has more than one leaf', async () => {
    const file = await open();
    expect((await file.names('many')).length).toBe(40);
    for (const i of [0, 17, 39]) {
      const dataset = (await file.dataset(`many/group${String(i).padStart(2, '0')}/x`))!;
      expect(numbers(await file.values(dataset), dataset.type)).toEqual([i]);
    }
  });

  it('is undefined where there is none', async () => {
    const file = await open();
    expect(await file.dataset('many')).toBeUndefined();
    expect(await file.dataset('nowhere/at/all')).toBeUndefined();
    expect(await file.has('many/group00')).toBe(true);
  });
});

it('texts of attributes come from fixed and from variable lengths', async () => {
  for (const file of ['cnn.h5', 'cnn-chunked.h5']) {
    const h5 = await H5File.open(bytesSource(file, fixture('keras2', file).bytes), DEFAULT_LIMITS);
    expect(await h5.texts('model_weights/stem_bn', 'weight_names')).toEqual(
      ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((weight) => `stem_bn/${weight}:0`),
    );
    expect(await h5.texts('model_weights/drop', 'weight_names')).toEqual([]);
    expect(await h5.texts('', 'keras_version')).toEqual(['2.15.0']);
    expect(await h5.texts('', 'nothing')).toBeUndefined();
  }
});

it('reads what it needs of a file of a gigabyte', async () => {
  const { bytes } = fixture('keras2', 'cnn.h5');
  let read = 0;
  const source = {
    name: 'cnn.h5',
    size: 2 ** 30,
    read: async (offset: number, length: number) => {
      read += length;
      // What follows the model is never written by anyone, so zeros do.
      const part = new Uint8Array(length);
      part.set(bytes.subarray(Math.min(offset, bytes.length), offset + length));
      return part;
    },
    close: async () => {},
  };
  const { artifacts } = await h5Model(source, {});
  expect(artifacts.weightSpecs!.length).toBeGreaterThan(10);
  expect(read).toBeLessThan(200_000);
});
