// A misspelt option, to every function that takes options: an error that names it and the one that was meant. Passed over
// in silence, it would be a default that nobody chose.
import '@tensorflow/tfjs-backend-cpu';
import * as core from '@rebatch/core';
import * as domains from '@rebatch/domains';
import { ema, slidingWindow } from '@rebatch/estimators';
import * as files from '@rebatch/files';
import { writeModel } from '@rebatch/files/node';
import { bake, graphModel } from '@rebatch/graph-models';
import { inspect } from '@rebatch/inspect';
import * as layers from '@rebatch/layers';
import * as leakage from '@rebatch/leakage';
import * as recalibrate from '@rebatch/recalibrate';
import * as shards from '@rebatch/recalibrate/shards';
import { createGroupMemory, serveReplica, trainReplicas } from '@rebatch/replicas';
import { momentsOf, normalizedShift, RebatchError, symmetricKL } from '@rebatch/stats';
import { writeGraph } from '@rebatch/test-models/graphs';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

// biome-ignore lint/suspicious/noExplicitAny: options that do not exist have no type that these functions take
type Anything = any;

const model = () => {
  const made = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 2, inputShape: [3] }),
      tfl.layers.batchNormalization(),
      tfl.layers.dense({ units: 2, activation: 'softmax' }),
    ],
  });
  made.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  return made;
};
const x = () => tf.ones([4, 2]);
const data = () => [tf.randomNormal([8, 3])];
const ids = () => tf.tensor1d([0, 0, 1, 1], 'int32');
const moments = () => ({ mean: tf.zeros([2]), variance: tf.ones([2]) });
const segments = () => ({ mean: tf.zeros([2, 2]), variance: tf.ones([2, 2]) });
const host = () => momentsOf([1, 2, 3, 4], { channels: 2 });
const labels = [0, 0, 1, 1];
const first = (batches: Iterator<unknown>) => batches.next();

const noShards = async function* () {};
// It is not asked for anything.
const worker = { on() {}, off() {}, postMessage() {} };

/** The function, one of its options misspelt, and the option that is meant. */
const CALLS: readonly [string, object, string, (options: Anything) => unknown][] = [
  ['momentsOf', { channel: 2 }, 'channels', (o) => momentsOf([1, 2], { channels: 2, ...o })],
  ['normalizedShift', { epsilom: 1 }, 'epsilon', (o) => normalizedShift(host(), host(), o)],
  ['symmetricKL', { epsilom: 1 }, 'epsilon', (o) => symmetricKL(host(), host(), o)],
  ['ema', { decai: 0.9 }, 'decay', (o) => ema(o)],
  ['slidingWindow', { batch: 3 }, 'batches', (o) => slidingWindow({ batches: 3, ...o })],
  ['batchMoments', { axes: 1 }, 'axis', (o) => core.batchMoments(x(), o)],
  ['batchNormalize', { epsilonn: 1 }, 'epsilon', (o) => core.batchNormalize(x(), o)],
  ['normalize', { gama: x() }, 'gamma', (o) => core.normalize(x(), moments(), o)],
  [
    'normalizePart',
    { masks: x() },
    'mask',
    (o) =>
      core.normalizePart(x(), { ...moments(), count: 8, sumOverParts: (s: tf.Tensor) => s } as Anything, o),
  ],
  ['jointBatchNormalize', { singelValue: 'throw' }, 'singleValue', (o) => core.jointBatchNormalize([x()], o)],
  ['segmentBatchNormalize', { pool: true }, 'pooled', (o) => core.segmentBatchNormalize(x(), ids(), 2, o)],
  [
    'segmentNormalize',
    { fixedAfine: true },
    'fixedAffine',
    (o) => core.segmentNormalize(x(), ids(), segments(), o),
  ],
  ['Layer', { normalisationBatchSize: 4 }, 'normalizationBatchSize', (o) => layers.batchNormalization(o)],
  ['foldBatchNorm', { strikt: true }, 'strict', (o) => layers.foldBatchNorm(model(), o)],
  ['freezeBatchNorm', { afine: 'fixed' }, 'affine', (o) => layers.freezeBatchNorm(model(), o)],
  ['Layer', { group: 2 }, 'groups', (o) => leakage.ghostBatchNormalization({ groups: 2, ...o })],
  ['Layer', { grupo: 2 }, 'group', (o) => leakage.syncBatchNormalization(o)],
  [
    'shuffled',
    { sead: 2 },
    'seed',
    (o) => leakage.shuffled(tfl.layers.batchNormalization(), { groups: 2, ...o }),
  ],
  [
    'iidBatches',
    { sample: 1 },
    'samples',
    (o) => first(leakage.iidBatches({ samples: 4, batchSize: 2, ...o })),
  ],
  [
    'groupedBatches',
    { batchsize: 2 },
    'batchSize',
    (o) => first(leakage.groupedBatches({ by: labels, batchSize: 2, ...o })),
  ],
  [
    'balancedBatches',
    { bye: labels },
    'by',
    (o) => first(leakage.balancedBatches({ by: labels, batchSize: 2, ...o })),
  ],
  [
    'limitedBatches',
    { mosst: 2 },
    'most',
    (o) => first(leakage.limitedBatches({ by: labels, batchSize: 2, most: 1, ...o })),
  ],
  [
    'auditLeakage',
    { permutation: 9 },
    'permutations',
    (o) =>
      leakage.auditLeakage(model(), { xs: tf.ones([4, 3]), ys: tf.ones([4, 2]) }, { groupOf: labels, ...o }),
  ],
  ['shardMeasurer', { mod: 'batch' }, 'mode', (o) => shards.shardMeasurer(model(), o)],
  [
    'recalibrateFromShards',
    { priorr: 3 },
    'prior',
    (o) => shards.recalibrateFromShards(model(), noShards, o),
  ],
  [
    'estimateFromShards',
    { tolerances: 3 },
    'tolerance',
    (o) => shards.estimateFromShards(model(), noShards, o),
  ],
  [
    'recalibrateFromShards',
    { onstate() {} },
    'onState',
    (o) => shards.recalibrateFromShards(model(), noShards, {}, o),
  ],
  ['recalibrate', { sample: 1000 }, 'samples', (o) => recalibrate.recalibrate(model(), data(), o)],
  [
    'estimateStatistics',
    { moode: 'batch' },
    'mode',
    (o) => recalibrate.estimateStatistics(model(), data(), o),
  ],
  [
    'freezeStatistics',
    { lastEpoch: 1 },
    'lastEpochs',
    (o) => recalibrate.freezeStatistics({ lastEpochs: 1, data: data(), ...o }),
  ],
  [
    'validateRecalibrated',
    { everry: 1 },
    'every',
    (o) => recalibrate.validateRecalibrated({ data: data(), validationData: [x(), x()], ...o } as Anything),
  ],
  ['adapt', { priors: 8 }, 'prior', (o) => domains.adapt(model(), data(), o)],
  ['adaptOnline', { decai: 0.9 }, 'decay', (o) => domains.adaptOnline(model(), o)],
  ['captureReference', { signale: null }, 'signal', (o) => domains.captureReference(model(), data(), o)],
  ['Layer', { domain: ['a'] }, 'domains', (o) => domains.domainBatchNormalization({ domains: ['a'], ...o })],
  [
    'convertToDomains',
    { domain: ['a'] },
    'domains',
    (o) => domains.convertToDomains(model(), { domains: ['a'], ...o }),
  ],
  ['inspect', { label: false }, 'labels', (o) => inspect(model(), data(), o)],
  ['graphModel', { leaveout: () => false }, 'leaveOut', (o) => graphModel(artifacts(), o)],
  ['bake', { precison: 'float32' }, 'precision', (o) => bake(graphModel(artifacts()), o)],
  ['createGroupMemory', { timeoutMS: 5 }, 'timeoutMs', (o) => createGroupMemory({ size: 2, ...o })],
  ['serveReplica', { metric: [] }, 'metrics', (o) => serveReplica(worker as Anything, o)],
  [
    'trainReplicas',
    { epoch: 2 },
    'epochs',
    (o) => trainReplicas(model(), data() as Anything, { workers: [worker], ...o } as Anything),
  ],
  ['openModel', { limit: {} }, 'limits', (o) => files.openModel(new Uint8Array(9), o)],
  ['readH5', { confg: '' }, 'config', (o) => files.readH5(new Uint8Array(9), o)],
  ['readKeras', { customLayer: {} }, 'customLayers', (o) => files.readKeras(new Uint8Array(9), o)],
  ['readModelJson', { onProgres: () => {} }, 'onProgress', (o) => files.readModelJson(new Uint8Array(9), o)],
  ['replaceWeights', { confg: '' }, 'config', (o) => files.replaceWeights(new Uint8Array(9), {}, o)],
  ['modelFiles', { shardBites: 9 }, 'shardBytes', (o) => files.modelFiles(artifacts() as Anything, o)],
  ['writeModel', { overwrites: true }, 'overwrite', (o) => writeModel(artifacts() as Anything, 'nowhere', o)],
];

function artifacts(): tf.io.ModelArtifacts {
  return writeGraph(model(), {} as Anything) as Anything;
}

test.each(CALLS)('%s refuses %j and means %s', async (who, options, meant, call) => {
  const [given] = Object.keys(options);
  const error = await (async () => call(options))().then(
    () => expect.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RebatchError);
  const { message } = error as Error;
  expect(message).toContain(who);
  expect(message).toContain(`"${given}"`);
  expect(message).toContain(`Did you mean ${meant}?`);
});
