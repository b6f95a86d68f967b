// Whose statistics normalize in predictions.
import { InvalidInputError } from '@rebatch/core';
import { withStatistics } from '@rebatch/models';
import { onEachBackend } from '@rebatch/test-models';
import { attribute, GraphWriter } from '@rebatch/test-models/graphs';
import {
  expectClose,
  expectNoLeaks,
  referenceMoments,
  referenceNormalize,
  seededRandom,
} from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { GraphModelError, graphModel } from './index.ts';

const CHANNELS = 3;
const random = seededRandom(2);
const values = random.normals(4 * 5 * CHANNELS, 1, 2);
const constants = Object.fromEntries(
  ['gamma', 'beta', 'mean', 'variance'].map((name) => [name, random.normals(CHANNELS, 1, 0.2)]),
) as Record<'gamma' | 'beta' | 'mean' | 'variance', Float32Array>;

function write(...more: ((graph: GraphWriter, x: string) => string)[]) {
  const graph = new GraphWriter();
  const x = graph.input('x', [null, 5, CHANNELS]);
  const inputs = Object.entries(constants).map(([name, own]) => graph.constant(name, own, [CHANNELS]));
  let y = graph.node('FusedBatchNormV3', 'bn', [x, ...inputs], { epsilon: attribute.float(0.01) });
  for (const add of more) y = add(graph, y);
  return graph.artifacts({ [y]: [null, 5, CHANNELS] });
}

const layout = (rows: number) => ({ outer: rows, channels: CHANNELS, inner: 1, groups: 1 });

/** Each `size` samples by their own moments. */
function reference(size: number): number[] {
  const { gamma, beta } = constants;
  return Array.from({ length: 4 / size }, (_, at) => {
    const part = values.slice(at * size * 5 * CHANNELS, (at + 1) * size * 5 * CHANNELS);
    const moments = referenceMoments(part, layout(size * 5));
    return [...referenceNormalize(part, layout(size * 5), moments, { gamma, beta, epsilon: 0.01 })];
  }).flat();
}

onEachBackend(() => {
  test('batch statistics normalize the whole batch, or parts of it, within the scope alone', async () => {
    const adapted = graphModel(write());
    const x = tf.tensor3d(values, [4, 5, CHANNELS]);
    const predict = () => {
      const y = adapted.predict(x) as tf.Tensor;
      const own = y.dataSync<'float32'>().slice();
      y.dispose();
      return own;
    };
    const before = predict();
    const { gamma, beta, ...moments } = constants;
    expectClose(
      before,
      referenceNormalize(values, layout(20), moments, { gamma, beta, epsilon: 0.01 }),
      1e-5,
    );
    expectClose(withStatistics(adapted, 'batch', predict), reference(4), 1e-5);
    const halves = withStatistics(adapted, 'batch', predict, { normalizationBatchSize: 2 });
    expectClose(halves, reference(2), 1e-5);
    const nested = withStatistics(adapted, 'batch', () => withStatistics(adapted, 'population', predict));
    expect(nested).toEqual(before);
    const later = await withStatistics(adapted, 'batch', async () => {
      await Promise.resolve();
      return predict();
    });
    expectClose(later, reference(4), 1e-5);
    expect(predict()).toEqual(before);
    await expectNoLeaks(tf, () => withStatistics(adapted, 'batch', predict));
    x.dispose();
    adapted.dispose();
  });

  test('what is folded away has no batch statistics, and other values are refused; nothing has run then', () => {
    const adapted = graphModel(
      write((graph, x) => {
        const scaled = graph.node('Mul', 'scaled', [x, graph.constant('s', [1, 2, 3], [CHANNELS])]);
        return graph.node('AddV2', 'folded', [scaled, graph.constant('o', [1, 2, 3], [CHANNELS])]);
      }),
      { name: 'mine' },
    );
    const never = () => expect.unreachable();
    expect(() => withStatistics(adapted, 'batch', never)).toThrow(GraphModelError);
    expect(() => withStatistics(adapted, 'batch', never)).toThrow(
      /^withStatistics: site 'folded' of model 'mine' was folded into its weights/,
    );
    expect(withStatistics(adapted, 'population', () => 7)).toBe(7);
    expect(() => withStatistics(adapted, 'both' as never, never)).toThrow(InvalidInputError);
    expect(() => withStatistics(adapted, 'population', never, { normalizationBatchSize: 0 })).toThrow(
      InvalidInputError,
    );
    adapted.dispose();
  });
});
