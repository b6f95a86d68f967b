// The gradients of fused convolutions, one by one: what nobody asks for is not computed.
import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import './index.ts';

type Shape4D = [number, number, number, number];

const OPS = [
  // By upstream's kernel, by patches, and by Winograd's algorithm.
  { name: 'conv2d, 3 channels', shape: [2, 7, 6, 3], filter: [3, 3, 3, 8], depthwise: false },
  { name: 'conv2d, 3x2 window', shape: [4, 9, 8, 32], filter: [3, 2, 32, 8], depthwise: false },
  { name: 'conv2d, 16 channels', shape: [16, 16, 16, 16], filter: [3, 3, 16, 16], depthwise: false },
  { name: 'depthwiseConv2d', shape: [2, 7, 6, 3], filter: [3, 3, 3, 2], depthwise: true },
] as const;

describe.each(OPS)('the gradients of a fused $name', ({ shape, filter, depthwise }) => {
  const random = seededRandom(21);
  const values = (sizes: readonly number[]) => random.normals(sizes.reduce((a, b) => a * b, 1));
  const outputs = depthwise ? filter[2] * filter[3] : filter[3];
  const [xs, ws, bs] = [values(shape), values(filter), values([outputs])];
  const op = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
  const plain = depthwise ? tf.depthwiseConv2d : tf.conv2d;

  const tensors = () =>
    [
      tf.tensor4d(xs, [...shape] as Shape4D),
      tf.tensor4d(ws, [...filter] as Shape4D),
      tf.tensor1d(bs),
    ] as const;
  const fused = (x: tf.Tensor, w: tf.Tensor, bias?: tf.Tensor) => {
    const y = op({
      ...{ x: x as tf.Tensor4D, filter: w as tf.Tensor4D, strides: 1, pad: 'same' as const },
      ...(bias && { bias }),
    });
    return tf.sum(tf.square(y)) as tf.Scalar;
  };

  beforeEach(async () => void (await tf.setBackend('wasm')));

  it('are those of the op that is not fused', async () => {
    const gradients = async (backend: string, loss: (...inputs: tf.Tensor[]) => tf.Scalar) => {
      await tf.setBackend(backend);
      return tf.tidy(() =>
        tf
          .grads(loss)([...tensors()])
          .map((gradient) => gradient.dataSync()),
      );
    };
    const ours = await gradients('wasm', fused as never);
    const theirs = await gradients('cpu', (x, w, bias) =>
      tf.sum(tf.square(tf.add(plain(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'), bias!))),
    );
    ours.forEach((gradient, at) => {
      expectClose(gradient, theirs[at]!, 1e-4, `gradient ${at}`);
    });
  });

  it.each([
    { what: 'the filter', of: [1], runs: ['Filter'] },
    { what: 'the input', of: [0], runs: ['Input'] },
    { what: 'both', of: [0, 1], runs: ['Filter', 'Input'] },
    { what: 'the bias', of: [2], runs: [] },
  ])('are computed for $what alone, where no other is asked for', async ({ of, runs }) => {
    const before = tf.memory().numTensors;
    const given = tensors();
    const { kernelNames } = await tf.profile(() =>
      tf.tidy(() => {
        const chosen = of.map((at) => given[at]!);
        const loss = (...inputs: tf.Tensor[]) => {
          const all = given.map((tensor, at) => inputs[of.indexOf(at)] ?? tensor);
          return fused(all[0]!, all[1]!, all[2]!);
        };
        tf.grads(loss)(chosen);
      }),
    );
    const backprops = kernelNames.filter((name) => /Backprop(Filter|Input)$/.test(name)).sort();
    expect(backprops).toEqual(
      runs.map((part) => `${depthwise ? 'DepthwiseConv2dNative' : 'Conv2D'}Backprop${part}`),
    );
    tf.dispose([...given]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
