import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@rebatch/kernels-wasm';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients of tfjs-core's ops, as every model does.
import '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { boxLoss, focalLoss } from './losses.ts';

const random = seededRandom(4);
const ANCHORS = 12;
const logits = [...random.normals(ANCHORS * 3, 0, 3)];
const classes = logits.map((_, i) => (i % 5 === 0 ? 1 : 0));
const codes = [...random.normals(ANCHORS * 4, 0, 0.3)];
const wanted = [...random.normals(ANCHORS * 4, 0, 0.3)];
const positive = Array.from({ length: ANCHORS }, (_, i) => (i % 3 === 0 ? 1 : 0));

function focalReference(x: readonly number[]): number {
  let sum = 0;
  for (const [i, logit] of x.entries()) {
    const p = 1 / (1 + Math.exp(-logit));
    sum += classes[i] === 1 ? -0.25 * (1 - p) ** 2 * Math.log(p) : -0.75 * p ** 2 * Math.log(1 - p);
  }
  return sum;
}

function boxReference(x: readonly number[]): number {
  let sum = 0;
  for (const [i, code] of x.entries()) {
    if (positive[Math.floor(i / 4)] === 0) continue;
    const distance = Math.abs(code - wanted[i]!);
    sum += distance < 0.11 ? distance ** 2 / (2 * 0.11) : distance - 0.11 / 2;
  }
  return sum;
}

/** Central differences in float64. */
function gradientReference(f: (x: readonly number[]) => number, x: readonly number[]): number[] {
  const h = 1e-5;
  return x.map((_, i) => {
    const moved = (by: number) => f(x.map((value, j) => (j === i ? value + by : value)));
    return (moved(h) - moved(-h)) / (2 * h);
  });
}

const cases = [
  {
    name: 'focal loss',
    x: logits,
    reference: focalReference,
    loss: (x: tf.Tensor) => focalLoss(tf.reshape(x, [1, ANCHORS, 3]), tf.tensor3d(classes, [1, ANCHORS, 3])),
  },
  {
    name: 'box loss',
    x: codes,
    reference: boxReference,
    loss: (x: tf.Tensor) =>
      boxLoss(
        tf.reshape(x, [1, ANCHORS, 4]),
        tf.tensor3d(wanted, [1, ANCHORS, 4]),
        tf.tensor2d(positive, [1, ANCHORS]),
      ),
  },
];

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  test.each(cases)('$name and its gradient are those of the definition', async ({ x, reference, loss }) => {
    await tf.setBackend(backend);
    const { value, grad } = tf.tidy(() => {
      const result = tf.valueAndGrad(loss)(tf.tensor1d(x));
      return { value: result.value.dataSync().slice(), grad: result.grad.dataSync().slice() };
    });
    expectClose(value, [reference(x)], 1e-5);
    expectClose(grad, gradientReference(reference, x), 1e-4);
    const input = tf.tensor1d(x);
    await expectNoLeaks(tf, () => {
      tf.dispose(tf.tidy(() => loss(input)));
    });
    input.dispose();
  });

  test('confident answers have a finite loss', async () => {
    await tf.setBackend(backend);
    const loss = tf.tidy(
      () => focalLoss(tf.tensor1d([80, -80, 80, -80]), tf.tensor1d([1, 0, 0, 1])).dataSync()[0]!,
    );
    // 0.75 * 80 for the false one, 0.25 * 80 for the one that is missed.
    expect(loss).toBeCloseTo(80, 3);
  });
});
