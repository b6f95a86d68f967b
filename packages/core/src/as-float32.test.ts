import { expectNoLeaks } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { asFloat32 } from './as-float32.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('asFloat32', () => {
  it('casts integers and booleans, value by value', async () => {
    await expectNoLeaks(tf, async () => {
      const tensors = [tf.tensor1d([-3, 0, 2 ** 24], 'int32'), tf.tensor1d([true, false], 'bool')];
      const cast = tensors.map(asFloat32);
      expect(cast.map(({ dtype }) => dtype)).toEqual(['float32', 'float32']);
      expect(cast.map((tensor) => [...tensor.dataSync()])).toEqual([
        [-3, 0, 2 ** 24],
        [1, 0],
      ]);
      tf.dispose([tensors, cast]);
    });
  });

  it('returns a float32 tensor itself, and a disposed one for the op that will name it', () => {
    const floats = tf.ones([2]);
    expect(asFloat32(floats)).toBe(floats);
    const gone = tf.zeros([2], 'int32');
    gone.dispose();
    expect(asFloat32(gone)).toBe(gone);
    floats.dispose();
  });

  it('leaves complex numbers and texts to the op that will name them', () => {
    const [real, imaginary, texts] = [tf.ones([2]), tf.ones([2]), tf.tensor1d(['a', 'b'])];
    const complex = tf.complex(real, imaginary);
    expect(asFloat32(complex)).toBe(complex);
    expect(asFloat32(texts)).toBe(texts);
    tf.dispose([real, imaginary, texts, complex]);
  });
});
