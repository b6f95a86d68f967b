// A program with two copies of tfjs-layers, as package managers install them where versions do not agree: whatever a user
// calls first has to say so, and by the same words.
import { createRequire } from 'node:module';
import {
  adapt,
  adaptOnline,
  captureReference,
  convertToDomains,
  domainBatchNormalization,
  statisticsBank,
  toStock as toStockOfDomain,
  withDomain,
} from '@rebatch/domains';
import { inspect } from '@rebatch/inspect';
import {
  batchNormalization,
  convert,
  ForeignLayerError,
  foldBatchNorm,
  freezeBatchNorm,
  toStock,
  unfreezeBatchNorm,
} from '@rebatch/layers';
import {
  auditLeakage,
  convertToSync,
  ghostBatchNormalization,
  shuffled,
  syncBatchNormalization,
} from '@rebatch/leakage';
import { applyStatistics, captureStatistics, withStatistics } from '@rebatch/models';
import { estimateStatistics, recalibrate } from '@rebatch/recalibrate';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';

/** The same package once more: the first copy is this file's own. */
const other = (() => {
  const require = createRequire(import.meta.url);
  const path = require.resolve('@tensorflow/tfjs-layers');
  delete require.cache[path];
  return require(path) as typeof tfl;
})();

const model = other.sequential({
  name: 'theirs',
  layers: [
    other.layers.dense({ units: 2, inputShape: [3] }),
    other.layers.batchNormalization(),
    other.layers.dense({ units: 1 }),
  ],
});
const data = [tf.ones([4, 3])];
const labeled = [{ xs: tf.ones([4, 3]), ys: tf.ones([4, 1]) }];

const TOOLS: Record<string, () => unknown> = {
  convert: () => convert(model),
  freezeBatchNorm: () => freezeBatchNorm(model),
  unfreezeBatchNorm: () => unfreezeBatchNorm(model),
  foldBatchNorm: () => foldBatchNorm(model),
  toStock: () => toStock(model),
  'toStock of domains': () => toStockOfDomain(model, 'a'),
  captureStatistics: () => captureStatistics(model),
  applyStatistics: () => applyStatistics(model, []),
  withStatistics: () => withStatistics(model, 'batch', () => 0),
  recalibrate: () => recalibrate(model, data),
  estimateStatistics: () => estimateStatistics(model, data),
  inspect: () => inspect(model, labeled),
  adapt: () => adapt(model, data),
  adaptOnline: () => adaptOnline(model),
  captureReference: () => captureReference(model, data),
  statisticsBank: () => statisticsBank(model),
  convertToDomains: () => convertToDomains(model, { domains: ['a', 'b'] }),
  withDomain: () => withDomain(model, 'a', () => 0),
  convertToSync: () => convertToSync(model),
  auditLeakage: () => auditLeakage(model, labeled, { groupOf: [0, 0, 1, 1] }),
};

const LAYERS: Record<string, () => tfl.layers.Layer> = {
  batchNormalization: () => batchNormalization(),
  ghostBatchNormalization: () => ghostBatchNormalization({ groups: 2 }),
  syncBatchNormalization: () => syncBatchNormalization(),
  domainBatchNormalization: () => domainBatchNormalization({ domains: ['a', 'b'] }),
  shuffled: () => shuffled(tfl.layers.batchNormalization(), { groups: 2 }),
};

test('it is another copy', () => {
  expect(other.layers.Layer).not.toBe(tfl.layers.Layer);
  expect(other.SymbolicTensor).not.toBe(tfl.SymbolicTensor);
});

test.each(Object.entries(TOOLS))('%s: a model of another copy', async (name, run) => {
  const error = await (async () => run())().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ForeignLayerError);
  expect(error).toMatchObject({
    message: expect.stringMatching(/two copies of TensorFlow\.js are installed\. 'theirs'.*single copy/),
  });
  if (!name.includes(' ')) expect((error as Error).message).toMatch(new RegExp(`^(${name}|convert): `));
});

test.each(Object.entries(LAYERS))('%s: in a model of another copy', (_, make) => {
  const message = /^Layer '.*': two copies of TensorFlow\.js are installed\..*single copy/;
  const add = () =>
    other.sequential({ layers: [other.layers.dense({ units: 2, inputShape: [3] })] }).add(make());
  expect(add).toThrow(ForeignLayerError);
  expect(add).toThrow(message);
});
