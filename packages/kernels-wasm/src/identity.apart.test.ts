import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WasmBackend } from './backend.ts';
import './index.ts';

const addressOf = (tensor: tf.Tensor) =>
  (tf.backend() as unknown as WasmBackend).dataIdMap.get(tensor.dataId).memoryOffset;

describe.each([
  ['clone', <T extends tf.Tensor>(x: T) => tf.clone(x)],
  ['cast to what it is', <T extends tf.Tensor>(x: T) => tf.cast(x, x.dtype)],
])('a %s on the WASM backend', (_, copied) => {
  beforeEach(async () => {
    await tf.setBackend('wasm');
  });

  it('shares memory, which lives as long as any of the tensors', () => {
    const before = tf.memory().numDataBuffers;
    const x = tf.tensor1d([1, 2, 3]);
    const first = copied(x);
    const second = copied(first);
    expect(addressOf(second)).toBe(addressOf(x));
    expect(tf.memory().numDataBuffers).toBe(before + 1);
    x.dispose();
    first.dispose();
    const other = tf.tensor1d([7, 7, 7]);
    expect([...second.dataSync()]).toEqual([1, 2, 3]);
    tf.dispose([second, other]);
    expect(tf.memory().numDataBuffers).toBe(before);
    expect(tf.memory().numTensors).toBe(0);
  });
});

describe('tf.clone on the WASM backend', () => {
  beforeEach(async () => {
    await tf.setBackend('wasm');
  });

  it.each([
    ['int32', [1, 2]],
    ['bool', [true, false]],
    ['string', ['one', 'two']],
  ] as const)('clones %s', (dtype, values) => {
    tf.tidy(() => {
      const copy = tf.clone(tf.tensor1d([...values] as number[], dtype));
      expect(copy.dtype).toBe(dtype);
      expect([...copy.dataSync()].map(String)).toEqual(
        values.map((v) => String(dtype === 'bool' ? Number(v) : v)),
      );
    });
  });

  it('leaves a clone intact when a variable that it was cloned from is assigned', () => {
    const variable = tf.variable(tf.tensor1d([1, 2]));
    const before = variable.clone();
    variable.assign(tf.tensor1d([3, 4]));
    expect([...before.dataSync()]).toEqual([1, 2]);
    expect([...variable.dataSync()]).toEqual([3, 4]);
    tf.disposeVariables();
    before.dispose();
  });

  it('follows its tensors to another backend', async () => {
    const x = tf.tensor1d([5, 6]);
    const copy = tf.clone(x);
    await tf.setBackend('cpu');
    expect([...tf.add(copy, 1).dataSync()]).toEqual([6, 7]);
    copy.dispose();
    expect([...tf.add(x, 1).dataSync()]).toEqual([6, 7]);
    x.dispose();
  });
});
