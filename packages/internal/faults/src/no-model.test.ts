// What people hand in for a model, to every function that takes one: one clear error that says what came, and no TypeError.
import '@tensorflow/tfjs-backend-cpu';
import * as domains from '@rebatch/domains';
import { inspect } from '@rebatch/inspect';
import * as layers from '@rebatch/layers';
import * as leakage from '@rebatch/leakage';
import * as models from '@rebatch/models';
import * as recalibrate from '@rebatch/recalibrate';
import * as shards from '@rebatch/recalibrate/shards';
import { trainReplicas } from '@rebatch/replicas';
import { GraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

// biome-ignore lint/suspicious/noExplicitAny: what is no model has no type that these functions take
type Anything = any;

const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] });

const NO_MODELS: readonly [string, Anything, RegExp][] = [
  ['a graph model', new GraphModel('model.json'), /got a GraphModel/],
  ['a path', './model.json', /got the address '\.\/model\.json'/],
  ['a URL', new URL('https://example.com/model.json'), /got the address 'https:/],
  ['a promise', Promise.resolve(model), /got a promise\. Wait for the model first/],
  ['what has one', { model }, /got an object whose member 'model' is one/],
  ['a list', [model], /got an array of 1 items/],
  ['what makes one', () => model, /got a function/],
  ['an IO handler', { load: async () => ({}) }, /got an object that is none/],
  [
    'half an adapter',
    { sites: [], run: () => [], stored: () => [], store: () => {} },
    /got an object that is none/,
  ],
  ['undefined', undefined, /got undefined/],
  ['null', null, /got null/],
  ['a number', 5, /got 5/],
  ['an empty text', '', /got the address ''/],
  ['a tensor', tf.scalar(1), /got a Tensor that is none/],
];

const data = () => [tf.ones([4, 2])];

/** By the name that the error begins with. */
const ENTRIES: Readonly<Record<string, (value: Anything) => unknown>> = {
  batchNormLayers: layers.batchNormLayers,
  convert: layers.convert,
  foldBatchNorm: (value) => layers.foldBatchNorm(value),
  freezeBatchNorm: (value) => layers.freezeBatchNorm(value),
  unfreezeBatchNorm: layers.unfreezeBatchNorm,
  toStock: layers.toStock,
  layersModel: models.layersModel,
  'my tool': (value) => models.modelOf('my tool', value),
  readBatch: (value) => models.readBatch(tf.ones([4, 2]), value, 'Batch 0'),
  applyStatistics: (value) => models.applyStatistics(value, []),
  captureStatistics: (value) => models.captureStatistics(value),
  withStatistics: (value) => models.withStatistics(value, 'batch', () => expect.fail('ran')),
  recalibrate: (value) => recalibrate.recalibrate(value, data()),
  shardMeasurer: (value) => shards.shardMeasurer(value),
  recalibrateFromShards: (value) => shards.recalibrateFromShards(value, async function* () {}),
  estimateFromShards: (value) => shards.estimateFromShards(value, async function* () {}),
  estimateStatistics: (value) => recalibrate.estimateStatistics(value, data()),
  adapt: (value) => domains.adapt(value, data()),
  adaptOnline: (value) => domains.adaptOnline(value),
  captureReference: (value) => domains.captureReference(value, data()),
  statisticsBank: domains.statisticsBank,
  convertToDomains: (value) => domains.convertToDomains(value, { domains: ['a'] }),
  'toStock of domains': (value) => domains.toStock(value, 'a'),
  withDomain: (value) => domains.withDomain(value, 'a', () => expect.fail('ran')),
  auditLeakage: (value) =>
    leakage.auditLeakage(value, { xs: tf.ones([4, 2]), ys: tf.ones([4, 1]) }, { groupOf: [0, 0, 1, 1] }),
  convertToSync: (value) => leakage.convertToSync(value),
  setGroup: (value) => leakage.setGroup(value, leakage.soloGroup),
  shuffled: (value) => leakage.shuffled(value, { groups: 2 }),
  trainReplicas: (value) => trainReplicas(value, [], { workers: [] }),
  inspect: (value) => inspect(value, data()),
};

describe.each(Object.entries(ENTRIES))('%s', (name, entry) => {
  it.each(NO_MODELS)('refuses %s', async (_, value, message) => {
    const error = await (async () => entry(value))().then(
      () => expect.fail('was taken for a model'),
      (reason: unknown) => reason as Error,
    );
    expect(error).toBeInstanceOf(layers.NotAModelError);
    expect(error.message).toMatch(message);
    expect(error.message.startsWith(`${name.replace(' of domains', '')}: expected a model`)).toBe(true);
  });
});
