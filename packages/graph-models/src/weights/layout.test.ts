import type * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { GraphWeightsError } from '../errors.ts';
import { cutWeights } from './layout.ts';

const SPECS: tf.io.WeightsManifestEntry[] = [
  { name: 'text', shape: [2], dtype: 'string' },
  { name: 'flags', shape: [3], dtype: 'bool' },
  { name: 'codes', shape: [2, 2], dtype: 'float32', quantization: { dtype: 'uint16', scale: 1, min: 0 } },
  { name: 'pairs', shape: [1], dtype: 'complex64' },
  { name: 'one', shape: [], dtype: 'int32' },
];

/** Two texts after their lengths, three flags, four codes, a pair and a number: as tfjs-core stores them. */
const PARTS = [
  [1, 0, 0, 0, 65, 2, 0, 0, 0, 66, 67],
  [1, 0, 1],
  [1, 0, 2, 0, 3, 0, 4, 0],
  [1, 2, 3, 4, 5, 6, 7, 8],
  [9, 0, 0, 0],
];

test('each weight has its own bytes, of whatever kind those before it are, in one buffer or several', () => {
  const all = Uint8Array.from(PARTS.flat());
  for (const data of [all.buffer, [all.buffer.slice(0, 5), all.buffer.slice(5, 20), all.buffer.slice(20)]]) {
    const weights = cutWeights(SPECS, data);
    expect([...weights.keys()]).toEqual(SPECS.map(({ name }) => name));
    expect([...weights.values()].map(({ bytes }) => [...bytes])).toEqual(PARTS);
  }
});

test('whatever is missing at the end is noticed, and in which weight', () => {
  const all = Uint8Array.from(PARTS.flat());
  const ends = PARTS.map((_, at) => PARTS.slice(0, at + 1).flat().length);
  for (let length = 0; length < all.length; length++) {
    const within = ends.findIndex((end) => end > length);
    const cut = () => cutWeights(SPECS, all.buffer.slice(0, length));
    expect(cut).toThrow(GraphWeightsError);
    expect(cut).toThrow(
      `got ${length} bytes, which end within weight ${within + 1}, '${SPECS[within]!.name}'`,
    );
  }
});
