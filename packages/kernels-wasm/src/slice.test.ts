import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-backend-cpu';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import './index.ts';

beforeAll(async () => {
  await tf.setBackend('wasm');
});

type Kind = 'float32' | 'int32' | 'bool';

/** A tensor of whole numbers counted up from 0, or of bools, and its values. */
function counted(shape: readonly number[], dtype: Kind) {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = Array.from({ length: size }, (_, i) => (dtype === 'bool' ? Number(i % 3 === 1) : i));
  return { x: tf.tensor(values, [...shape], dtype), values };
}

/** The values of a box of a tensor, in loops. */
function boxOf(
  values: readonly number[],
  shape: readonly number[],
  begin: readonly number[],
  size: readonly number[],
): number[] {
  let at = [0];
  shape.forEach((length, axis) => {
    at = at.flatMap((before) =>
      Array.from({ length: size[axis]! }, (_, i) => before * length + begin[axis]! + i),
    );
  });
  return at.map((i) => values[i]!);
}

const kinds = fc.constantFrom<Kind>('float32', 'int32', 'bool');
const box = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    begin: fc.tuple(...shape.map((length) => fc.integer({ min: 0, max: length - 1 }))),
    more: fc.tuple(...shape.map(() => fc.integer({ min: 0, max: 4 }))),
  }),
);

test('a part of a tensor is what loops find there, whether it lies together or not', () => {
  fc.assert(
    fc.property(box, kinds, ({ shape, begin, more }, dtype) => {
      const before = tf.memory();
      tf.tidy(() => {
        const { x, values } = counted(shape, dtype);
        const size = shape.map((length, axis) => Math.min(more[axis]!, length - begin[axis]!));
        const part = tf.slice(x, begin, size);
        expect(part.shape).toEqual(size);
        expect(part.dtype).toBe(dtype);
        expect([...part.dataSync()]).toEqual(boxOf(values, shape, begin, size));
      });
      expect(tf.memory()).toMatchObject({
        numTensors: before.numTensors,
        numDataBuffers: before.numDataBuffers,
      });
    }),
  );
});

test('a tensor is taken apart along any axis', () => {
  fc.assert(
    fc.property(box, kinds, ({ shape, begin }, dtype) => {
      const before = tf.memory();
      tf.tidy(() => {
        const { x, values } = counted(shape, dtype);
        const axis = begin[0]! % shape.length;
        const parts = tf.unstack(x, axis);
        expect(parts).toHaveLength(shape[axis]!);
        parts.forEach((part, i) => {
          expect(part.shape).toEqual(shape.filter((_, other) => other !== axis));
          expect(part.dtype).toBe(dtype);
          const first = shape.map((_, other) => (other === axis ? i : 0));
          const size = shape.map((length, other) => (other === axis ? 1 : length));
          expect([...part.dataSync()]).toEqual(boxOf(values, shape, first, size));
        });
        expect(tf.unstack(x, axis - shape.length).map((part) => [...part.dataSync()])).toEqual(
          parts.map((part) => [...part.dataSync()]),
        );
      });
      expect(tf.memory()).toMatchObject({
        numTensors: before.numTensors,
        numDataBuffers: before.numDataBuffers,
      });
    }),
  );
});

test('the parts are copies', () => {
  tf.tidy(() => {
    const variable = tf.variable(tf.tensor2d([1, 2, 3, 4], [2, 2]));
    const [first] = tf.unstack(variable) as [tf.Tensor];
    const second = tf.slice(variable, [1, 0], [1, 2]);
    variable.assign(tf.zeros([2, 2]));
    expect([...first.dataSync()]).toEqual([1, 2]);
    expect([...second.dataSync()]).toEqual([3, 4]);
    variable.dispose();
  });
});

test("strings, scalars and parts beyond the end are upstream's", () => {
  tf.tidy(() => {
    const words = tf.tensor2d(['a', 'b', 'c', 'd'], [2, 2]);
    expect(tf.unstack(words).map((part) => [...part.dataSync()])).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect([...tf.slice(words, [1, 0], [1, 2]).dataSync()]).toEqual(['c', 'd']);
    // Without its values: upstream does not say what those beyond the end are.
    expect(tf.slice(tf.zeros([2, 2]), [1, 0], [2, 2]).shape).toEqual([2, 2]);
    expect(tf.slice(tf.zeros([3, 2]), [1, 0], [0, 2]).shape).toEqual([0, 2]);
  });
});

test('a gradient goes through', () => {
  tf.tidy(() => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const weights = tf.tensor1d([10, 20]);
    const bySlice = tf.grad((x) => tf.sum(tf.mul(tf.slice(x, [1, 0], [1, 2]), weights)))(x);
    expect([...bySlice.dataSync()]).toEqual([0, 0, 10, 20, 0, 0]);
    const byParts = tf.grad((x) => tf.sum(tf.mul(tf.unstack(x)[2]!, weights)))(x);
    expect([...byParts.dataSync()]).toEqual([0, 0, 0, 0, 10, 20]);
  });
});
