// Small files that claim much, or nonsense: refused before TensorFlow.js sees them, with words of ours.

import { expect, test } from 'vitest';
import type { GivenFile } from '../settings.ts';
import { LIMITS } from './check-model.ts';
import { FileProblem } from './file-problem.ts';
import { given } from './files.test.support.ts';
import { readModelFiles } from './read-model.ts';

interface Claim {
  readonly topology?: unknown;
  readonly weights?: unknown;
  readonly paths?: unknown;
  readonly bytes?: number;
}

const sequential = (...layers: unknown[]) => ({ class_name: 'Sequential', config: { layers } });
const norm = (config: object = {}) => ({
  class_name: 'BatchNormalization',
  config: { name: 'bn', ...config },
});
const input = (...shape: (number | null)[]) => norm({ batch_input_shape: [null, ...shape] });
const floats = (spec: object = {}) => [{ name: 'w', shape: [1], dtype: 'float32', ...spec }];

function filesOf(claim: Claim): GivenFile[] {
  const { topology = sequential(norm()), weights = floats(), paths = ['w.bin'], bytes = 4 } = claim;
  const json = { format: 'layers-model', modelTopology: topology, weightsManifest: [{ paths, weights }] };
  return [given('model.json', JSON.stringify(json)), given('w.bin', new Uint8Array(bytes))];
}

/** Layers that take each other's outputs. */
const functional = (calls: Record<string, string[]>) => ({
  class_name: 'Functional',
  config: {
    layers: Object.entries(calls).map(([name, from]) => ({
      class_name: from.length === 0 ? 'InputLayer' : 'Add',
      name,
      config: { name },
      inbound_nodes: from.length === 0 ? [] : [from.map((other) => [other, 0, 0, {}])],
    })),
    input_layers: [['in', 0, 0]],
    output_layers: [['a', 0, 0]],
  },
});

test('what is whole passes', async () => {
  const { specs } = await readModelFiles(filesOf({ topology: sequential(input(224, 224, 3)) }));
  expect(specs).toHaveLength(1);
  await readModelFiles(filesOf({ topology: functional({ in: [], b: ['in'], a: ['in', 'b'] }) }));
});

test.each<[string, Claim, RegExp]>([
  [
    'a giant input',
    { topology: sequential(input(20_000, 20_000, 3)) },
    /1200000000.*16777216.*limits of this page/,
  ],
  ['just too large', { topology: sequential(input(4096, 4097, 1)) }, /16781312, above the limit/],
  [
    'sizes that are no sizes',
    { topology: sequential(input(-1, 4, 3)) },
    /batch_input_shape.*should be a list/,
  ],
  ['a cycle', { topology: functional({ in: [], a: ['b'], b: ['a'] }) }, /have a cycle/],
  ['a layer of itself', { topology: functional({ in: [], a: ['a'] }) }, /have a cycle/],
  ['a call of nothing', { topology: functional({ in: [], a: ['nothing'] }) }, /no such layer/],
  ['a layer that is null', { topology: sequential(null) }, /layer should be an object, but is missing/],
  ['no layers', { topology: sequential() }, /no layers/],
  ['another topology', { topology: {} }, /neither a graph.*nor a model of layers/],
  ['a giant repetition', { topology: sequential({ class_name: 'RepeatVector', config: { n: 1e9 } }) }, /'n'/],
  ['a null specification', { weights: [null] }, /specification of weight 0.*but is missing/],
  ['a number as one', { weights: [5] }, /specification of weight 0/],
  ['a null shape', { weights: floats({ shape: null }) }, /shape of the weight 'w'/],
  ['a shape of nulls', { weights: floats({ shape: [null] }) }, /shape of the weight 'w'/],
  ['a negative shape', { weights: floats({ shape: [-1] }) }, /shape of the weight 'w'/],
  ['no name', { weights: floats({ name: null }) }, /should have a name/],
  ['the same name twice', { weights: [...floats(), ...floats()] }, /Two weights are called 'w'/],
  ['a type that there is not', { weights: floats({ dtype: 'float8' }) }, /type "float8"/],
  ['an odd quantization', { weights: floats({ quantization: { dtype: 'int4' } }) }, /quantization/],
  ['giant weights', { weights: floats({ shape: [1e9] }) }, /maxBytes|limit of/],
  [
    '10^9 strings',
    { weights: floats({ shape: [1e9], dtype: 'string' }), bytes: 8 },
    /1000000000 strings.*end after 2/,
  ],
  ['10^12 strings', { weights: floats({ shape: [1e6, 1e6], dtype: 'string' }) }, /above the limit/],
  ['paths that are no names', { paths: [null] }, /no weightsManifest/],
  ['paths without end', { paths: Array(LIMITS.maxWeights + 1).fill('w.bin') }, /no weightsManifest/],
  [
    'weights without end',
    { weights: Array.from({ length: LIMITS.maxWeights + 1 }, (_, i) => floats({ name: `w${i}` })[0]) },
    /number of weights would be 10001/,
  ],
  [
    'a key that changes prototypes',
    { topology: JSON.parse('{"class_name":"Sequential","config":{"layers":[],"__proto__":{"a":1}}}') },
    /__proto__/,
  ],
  [
    'endless depth',
    { topology: { class_name: 'Sequential', config: JSON.parse(`${'['.repeat(3000)}${']'.repeat(3000)}`) } },
    /128 levels/,
  ],
])('%s is refused', async (_, claim, message) => {
  const error = await readModelFiles(filesOf(claim)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FileProblem);
  expect((error as Error).message).toMatch(message);
});

test('what Keras 3 wrote is told how to be saved', async () => {
  const layer = {
    class_name: 'Add',
    name: 'a',
    config: { name: 'a' },
    inbound_nodes: [{ args: [], kwargs: {} }],
  };
  const model_config = { class_name: 'Functional', config: { layers: [layer] } };
  const topology = { keras_version: '3.4.1', model_config };
  await expect(readModelFiles(filesOf({ topology }))).rejects.toThrow(/Keras 3.*tf_keras/);
});

test('a text that is too long for a model.json is not read', async () => {
  let read = false;
  const file = {
    size: LIMITS.maxJsonBytes + 1,
    text: async () => {
      read = true;
      return '{}';
    },
  } as unknown as File;
  await expect(readModelFiles([{ path: 'model.json', file }])).rejects.toThrow(/33,554,433 bytes/);
  expect(read).toBe(false);
});

test('weights that are more than there is room for are not read', async () => {
  let read = false;
  const file = {
    size: LIMITS.maxBytes + 1,
    slice: () => new Blob(['']),
    arrayBuffer: async () => {
      read = true;
      return new ArrayBuffer(0);
    },
  } as unknown as File;
  const [json] = filesOf({ weights: floats({ dtype: 'string' }) });
  await expect(readModelFiles([json!, { path: 'w.bin', file }])).rejects.toThrow(
    /room for 1,073,741,824 bytes/,
  );
  expect(read).toBe(false);
});
