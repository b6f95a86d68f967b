import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { batchNormLayers } from '@rebatch/layers';
import { expectClose } from '@rebatch/testing';
import { beforeAll, expect, test } from 'vitest';
import { buildGroupedNetwork, type Grouping } from './grouped-network.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const network = (grouping: Grouping) =>
  buildGroupedNetwork({
    ...{ seed: 1, momentum: 0, blocks: [2, 'pool', 3], inputShape: [4, 4, 1], classes: 5 },
    ...{ grouping, batch: 6, groups: 2 },
  });
const GROUPINGS = ['in order', 'strided', 'shuffled', 'sync'] as const;

test.each(GROUPINGS)(
  'a network with groups %s starts from the same weights, and infers the same',
  (grouping) => {
    tf.tidy(() => {
      const [ours, plain] = [network(grouping), network('sync')];
      const x = tf.randomNormal([6, 4, 4, 1], 0, 1, 'float32', 1);
      const [y, expected] = [ours, plain].map((model) => (model.apply(x) as tf.Tensor).dataSync());
      expect([...y!]).toEqual([...expected!]);
      expect(batchNormLayers(ours)).toHaveLength(2);
      for (const model of [ours, plain]) model.dispose();
    });
  },
);

/** In training, the outputs of the samples at these places when nothing but their own samples is in the batch. */
function alone(x: tf.Tensor, places: number[]): number[] {
  const model = network('sync');
  const y = [...(model.apply(tf.gather(x, places), { training: true }) as tf.Tensor).dataSync()];
  model.dispose();
  return y;
}

test.each([
  [
    'in order',
    [
      [0, 1, 2],
      [3, 4, 5],
    ],
  ],
  [
    'strided',
    [
      [0, 2, 4],
      [1, 3, 5],
    ],
  ],
  ['sync', [[0, 1, 2, 3, 4, 5]]],
] as const)('with groups %s, the samples of a group are normalized together', (grouping, groups) => {
  tf.tidy(() => {
    const model = network(grouping);
    const x = tf.randomNormal([6, 4, 4, 1], 0, 1, 'float32', 2);
    const y = model.apply(x, { training: true }) as tf.Tensor;
    for (const places of groups) {
      expectClose([...tf.gather(y, [...places]).dataSync()], alone(x, [...places]), 1e-5);
    }
    model.dispose();
  });
});

test('shuffled samples are normalized in the same groups by all layers, and come back in their order', () => {
  tf.tidy(() => {
    const model = network('shuffled');
    const x = tf.randomNormal([6, 4, 4, 1], 0, 1, 'float32', 3);
    const y = tf.unstack(model.apply(x, { training: true }) as tf.Tensor).map((row) => [...row.dataSync()]);
    model.dispose();
    // The halves that the batch can be split into, of which one is the group of sample 0.
    const fits = [1, 2, 3, 4]
      .flatMap((second) => Array.from({ length: 5 - second }, (_, i) => [0, second, second + 1 + i]))
      .filter((group) => {
        const others = [1, 2, 3, 4, 5].filter((sample) => !group.includes(sample));
        const expected = [...alone(x, group), ...alone(x, others)];
        const actual = [...group, ...others].flatMap((sample) => y[sample]!);
        return actual.every((value, i) => Math.abs(value - expected[i]!) < 1e-4);
      });
    expect(fits).toHaveLength(1);
  });
});
