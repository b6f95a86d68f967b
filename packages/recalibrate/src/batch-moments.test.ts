// A layer that hands over only a part of its normalization batch, as a head shared by feature levels does.
import { batchNormalization } from '@rebatch/layers';
import { expectClose, expectNoLeaks, referenceMoments, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { estimateStatistics } from './index.ts';

const FIRST = 5;

/** Normalizes the first rows and the others by the moments of all, each as an application of the layer inside. */
class InTwo extends tfl.layers.Layer {
  static className = 'InTwo';
  readonly layer = batchNormalization({ name: 'inner' });

  override build(shape: tfl.Shape): void {
    this.layer.build(shape);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: object): tf.Tensor {
    const x = [inputs].flat()[0] as tf.Tensor2D;
    const { mean, variance } = tf.moments(x, 0);
    const parts = tf.split(x, [FIRST, x.shape[0] - FIRST]);
    return tf.concat(
      parts.map((part) => this.layer.call(part, { ...kwargs, batchMoments: { mean, variance } })),
    );
  }
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each(['batch', 'layerwise'] as const)(
  'mode %s measures each part, and normalizes by the whole',
  async (mode) => {
    const random = seededRandom(3);
    const input = tfl.input({ shape: [2] });
    const normalized = new InTwo({}).apply(input) as tfl.SymbolicTensor;
    const last = batchNormalization({ name: 'last' }).apply(normalized) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: input, outputs: last });
    const values = random.normals(24, 3, 2).map((value, i) => (i < 2 * FIRST ? value + 9 : value));
    const data = tf.tensor2d(values, [12, 2]);

    const { statistics } = await estimateStatistics(model, [data], { mode });
    const whole = referenceMoments(values, { outer: 12, channels: 2, inner: 1, groups: 1 });
    expectClose(statistics[0]!.mean, whole.mean, 1e-6);
    expectClose(statistics[0]!.variance, whole.variance, 1e-6);
    // Normalized by the whole: mean 0, variance v / (v + epsilon). By its own moments, each part would have mean 0, too,
    // and so would the parts together; but not with the parts' true distance.
    const after = whole.variance.map((variance) => variance / (variance + 1e-3));
    expectClose(statistics[1]!.variance, after, 1e-5);
    expect(Math.max(...statistics[1]!.mean.map(Math.abs))).toBeLessThan(1e-5);

    const { report } = await estimateStatistics(model, [data], { mode });
    expect(report.layers[0]!.applications.map(({ values: seen }) => seen)).toEqual([FIRST, 12 - FIRST]);
    const firstPart = referenceMoments(values.slice(0, 2 * FIRST), {
      outer: FIRST,
      channels: 2,
      inner: 1,
      groups: 1,
    });
    expect(report.layers[0]!.applications[0]!.shift!.mean.rms).toBeCloseTo(
      Math.hypot(...firstPart.mean) / Math.SQRT2,
      3,
    );
    await expectNoLeaks(tf, () => estimateStatistics(model, [data], { mode }));
  },
);
