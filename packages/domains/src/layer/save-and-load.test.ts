import { randomizeWeights, randomTensor, weightsByName } from '@rebatch/test-models';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import {
  convertToDomains,
  type DomainBatchNormalization,
  domainBatchNormalization,
  withDomain,
} from '../index.ts';
import '../register.ts';

await tf.setBackend('cpu');

/** Names that tf.layers would change if they were plain text in a configuration. */
const DOMAINS = ['My Camera', 'snake_case', 'Größe/1'];
const SHAPE = [2, 2, 3];

async function reloaded(model: tfl.LayersModel): Promise<tfl.LayersModel> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  // As from a file.
  const modelTopology = JSON.parse(JSON.stringify(artifacts!.modelTopology));
  return tfl.loadLayersModel(tf.io.fromMemory({ ...artifacts!, modelTopology }));
}

const values = (y: tf.Tensor | tf.Tensor[]) => [y].flat().map((one) => one.dataSync());

test.each(['shared', 'per-domain'] as const)('a layer in a scope, affine %s', async (affine) => {
  const model = tfl.sequential({
    layers: [
      domainBatchNormalization({
        ...{ name: 'bn', domains: DOMAINS, inputShape: SHAPE, momentum: 0.5, epsilon: 0.01, affine },
        ...{ statistics: { train: 'shared', population: 'per-domain' }, trainingStatistics: 'population' },
      }),
    ],
  });
  randomizeWeights(model, 1);
  const copy = await reloaded(model);
  const layer = copy.layers[0] as DomainBatchNormalization;
  expect(layer.domains).toEqual(DOMAINS);
  expect(layer.getConfig()).toEqual(model.layers[0]!.getConfig());
  expect(layer.layers.map(({ momentum, trainingStatistics }) => [momentum, trainingStatistics])).toEqual(
    DOMAINS.map(() => [0.5, 'population']),
  );
  expect(weightsByName(copy)).toEqual(weightsByName(model));
  const x = randomTensor([4, ...SHAPE], 2);
  for (const domain of DOMAINS) {
    const run = (one: tfl.LayersModel) => withDomain(one, domain, () => values(one.predict(x) as tf.Tensor));
    expect(run(copy)).toEqual(run(model));
  }
});

test('layers in a list, with an input of numbers, and applied one by one', async () => {
  const inputs = DOMAINS.map(() => tfl.input({ shape: SHAPE }));
  const ids = tfl.input({ shape: [1], dtype: 'int32' });
  const list = domainBatchNormalization({ name: 'list', domains: DOMAINS, from: 'application' });
  const listed = list.apply(inputs) as tfl.SymbolicTensor[];
  const single = domainBatchNormalization({ name: 'single', domains: DOMAINS, from: 'application' });
  // The last is applied first: its application is the first domain.
  const applied = listed.toReversed().map((x) => single.apply(x) as tfl.SymbolicTensor);
  const mixed = domainBatchNormalization({ name: 'mixed', domains: DOMAINS, from: 'input' });
  const outputs = [...applied, mixed.apply([inputs[0]!, ids]) as tfl.SymbolicTensor];
  const model = tfl.model({ inputs: [...inputs, ids], outputs });
  randomizeWeights(model, 1);
  const copy = await reloaded(model);
  expect(weightsByName(copy)).toEqual(weightsByName(model));
  const xs = [1, 2, 3].map((seed) => randomTensor([4, ...SHAPE], seed));
  const all = [...xs, tf.tensor2d([0, 2, 2, 1], [4, 1], 'int32')];
  expect(values(copy.predict(all))).toEqual(values(model.predict(all)));
  expect(copy.layers.length).toBe(model.layers.length);
});

test('a model that was converted', async () => {
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 3, inputShape: [2] }),
      tfl.layers.batchNormalization({ name: 'was_stock' }),
    ],
  });
  convertToDomains(model, { domains: DOMAINS, affine: 'per-domain' });
  randomizeWeights(model, 4);
  const copy = await reloaded(model);
  expect(weightsByName(copy)).toEqual(weightsByName(model));
  const x = randomTensor([5, 2], 1);
  const run = (one: tfl.LayersModel) =>
    withDomain(one, 'snake_case', () => values(one.predict(x) as tf.Tensor));
  expect(run(copy)).toEqual(run(model));
});

test('weights of an ordinary model fit the first domain', () => {
  const ordinary = tfl.layers.batchNormalization({ name: 'bn' });
  const layer = domainBatchNormalization({ name: 'bn', domains: DOMAINS });
  tf.tidy(() => {
    ordinary.apply(tf.ones([2, 3]));
    withDomain(layer, DOMAINS[0]!, () => layer.apply(tf.ones([2, 3])));
  });
  expect(Object.keys(weightsByName(layer))).toEqual(
    expect.arrayContaining(Object.keys(weightsByName(ordinary))),
  );
});
