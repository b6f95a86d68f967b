import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { isStoodInFor, type StandIn, standIn, withStandIns } from './stand-in.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

class Doubling {
  call(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, 2);
  }
}

const plus =
  (value: number): StandIn =>
  (original, x, kwargs) =>
    tf.add(original(x, kwargs) as tf.Tensor, value);

const run = (layer: Doubling) => tf.tidy(() => layer.call(tf.scalar(5)).dataSync()[0]);

test('stand-ins lie over each other, and may be taken away in any order', () => {
  const layer = new Doubling();
  const [first, second] = [standIn(layer, plus(1)), standIn(layer, plus(10))];
  expect(run(layer)).toBe(21);
  expect(isStoodInFor(layer)).toBe(true);
  first();
  expect(run(layer)).toBe(20);
  const third = standIn(layer, () => tf.scalar(7));
  expect(run(layer)).toBe(7);
  second();
  second();
  expect(run(layer)).toBe(7);
  third();
  expect(run(layer)).toBe(10);
  expect(isStoodInFor(layer)).toBe(false);
  expect(Reflect.ownKeys(layer)).toEqual([]);
});

test("a layer's own property comes back, and its class may change meanwhile", () => {
  const layer = new Doubling();
  const leave = standIn(layer, plus(1));
  class Tripling extends Doubling {
    override call(x: tf.Tensor): tf.Tensor {
      return tf.mul(x, 3);
    }
  }
  Object.setPrototypeOf(layer, Tripling.prototype);
  expect(run(layer)).toBe(16);
  leave();
  const own = (x: tf.Tensor) => tf.mul(x, 4);
  layer.call = own;
  expect(
    withStandIns(
      [layer],
      () => plus(1),
      () => run(layer),
    ),
  ).toBe(21);
  expect(layer.call).toBe(own);
});

test('all layers are themselves again when the body throws', () => {
  const layers = [new Doubling(), new Doubling()];
  const positions: number[] = [];
  expect(() =>
    withStandIns(
      layers,
      (position) => (_original, x) => {
        positions.push(position);
        return x;
      },
      () => {
        for (const layer of [...layers].reverse()) layer.call(tf.scalar(1));
        throw new Error('stop');
      },
    ),
  ).toThrow('stop');
  expect(positions).toEqual([1, 0]);
  expect(layers.map(isStoodInFor)).toEqual([false, false]);
});
