// A layer with a normalizationBatchSize is measured as it trains; a frozen one as PreciseBN before freezing needs it.
import { populationVariance } from '@rebatch/estimators';
import { type BatchNormalization, convert, freezeBatchNorm } from '@rebatch/layers';
import { expectClose, expectNoLeaks, seededRandom } from '@rebatch/testing';
import '@tensorflow/tfjs-backend-cpu';
import { cut, makeBlocks, makeSequential, preciseReference, tensorOf } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { estimateStatistics } from './recalibrate.ts';

const WIDTH = 4;
const random = seededRandom(12);
const blocks = makeBlocks(random, [WIDTH, 5, 3]);
const data = random.normals(22 * WIDTH);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

// 8 = 3 + 3 + 2; 22 samples are cut into 8, 8, 6.
const sub = cut(data, WIDTH, 8).flatMap((batch) => cut(batch, WIDTH, 3));

test.each([false, true])('every normalization batch is one of the estimator (frozen: %s)', async (frozen) => {
  const model = convert(makeSequential(blocks));
  for (const name of ['bn0', 'bn1']) (model.getLayer(name) as BatchNormalization).normalizationBatchSize = 3;
  if (frozen) freezeBatchNorm(model);
  const counts: number[] = [];
  const estimator = () => {
    const inner = populationVariance();
    const update = inner.update.bind(inner);
    inner.update = (batch) => {
      counts.push(batch.count);
      update(batch);
    };
    return inner;
  };
  const xs = cut(data, WIDTH, 8).map((batch) => tensorOf(batch, WIDTH));
  await expectNoLeaks(tf, async () => {
    counts.length = 0;
    const { statistics, report } = await estimateStatistics(model, xs, { estimator });
    preciseReference(sub, blocks).forEach(({ mean, variance }, i) => {
      expectClose(statistics[i]!.mean, mean, 1e-5);
      expectClose(statistics[i]!.variance, variance, 1e-5);
    });
    expect(report).toMatchObject({ batches: 3, samples: 22 });
  });
  expect(counts).toEqual([3, 3, 2, 3, 3, 2, 3, 3, 2, 3, 3, 2, 3, 3, 3, 3]);
  tf.dispose(xs);
  model.dispose();
});
