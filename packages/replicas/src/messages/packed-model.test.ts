// What a saved model does not tell by itself: which weights are trained, and how its layers are set.
import { batchNormalization, freezeBatchNorm } from '@rebatch/layers';
import { convertToSync } from '@rebatch/leakage';
import { expectClose, expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { ReplicaSetupError, trainReplicas } from '../index.ts';
import { buildDense, trainHere, vectorBatches, weightsOf } from '../testing/models.test.support.ts';
import { useThreads, watched } from '../testing/threads.test.support.ts';
import { packState, writeState } from './packed-model.ts';

const { workers } = useThreads([{}, {}]);

const args = () => ({ loss: 'meanSquaredError', optimizer: tf.train.momentum(0.05, 0.9) });

/** Trains both on the same batches in two calls each, with what happens in between. */
async function expectSame(
  [reference, model]: readonly [tfl.LayersModel, tfl.LayersModel],
  between: (model: tfl.LayersModel) => void = () => {},
) {
  for (const half of [vectorBatches([8, 8]), vectorBatches([8, 8], 5)]) {
    await trainHere(reference, half);
    await watched(trainReplicas(model, half, { workers }));
    for (const one of [reference, model]) between(one);
  }
  const expected = weightsOf(reference);
  weightsOf(model).forEach((values, at) => {
    expectClose(values, expected[at]!, 1e-5, model.weights[at]!.name);
  });
}

const compiled = (model: tfl.LayersModel) => {
  model.compile(args());
  return model;
};

test('a nested model that is frozen stays as it is', async () => {
  const build = () => {
    const base = buildDense();
    base.trainable = false;
    const input = tfl.input({ shape: [3] });
    const kernelInitializer = tfl.initializers.glorotUniform({ seed: 6 });
    const head = tfl.layers.dense({ units: 2, kernelInitializer });
    return tfl.model({ inputs: input, outputs: head.apply(base.apply(input)) as tfl.SymbolicTensor });
  };
  const model = compiled(convertToSync(build()));
  const kernel = () => model.layers[1]!.getWeights()[0]!.dataSync<'float32'>().slice();
  const before = kernel();
  await expectSame([compiled(build()), model]);
  expect(kernel()).toEqual(before);
});

test('a layer that is frozen after the model was compiled keeps its place in the optimizer', async () => {
  const models = [compiled(buildDense()), compiled(convertToSync(buildDense()))] as const;
  await expectSame(models, (model) => {
    model.layers[0]!.trainable = false;
  });
});

test('batch normalization is set as in the model, also where its class is not registered', async () => {
  // Shards of 4 samples are normalized in the same sets as batches of 8.
  const build = () => {
    const kernelInitializer = tfl.initializers.glorotUniform({ seed: 7 });
    const layers = [
      tfl.layers.dense({ units: 6, useBias: false, kernelInitializer, inputShape: [3] }),
      batchNormalization({ normalizationBatchSize: 4 }),
      tfl.layers.reLU(),
      freezeBatchNorm(batchNormalization()),
      tfl.layers.dense({ units: 2, kernelInitializer }),
    ];
    return compiled(tfl.sequential({ layers }));
  };
  await expectSame([build(), build()]);
});

test('a state that is not of the model is refused, and nothing is written', async () => {
  const dense = (units: number) =>
    compiled(tfl.sequential({ layers: [tfl.layers.dense({ units, name: 'out', inputShape: [3] })] }));
  const model = dense(2);
  await trainHere(model, vectorBatches([4]));
  const state = async () => (await model.optimizer.getWeights()).map(({ tensor }) => [...tensor.dataSync()]);
  const [weights, before] = [weightsOf(model), await state()];
  for (const [other, message] of [
    [dense(3), /\[3,2\] for weight 'out\/kernel'.*got \[3,3\]/],
    [compiled(buildDense()), /for weight 'out\/kernel'.*got none/],
  ] as const) {
    const packed = await packState(other, 1);
    await expectNoLeaks(tf, async () => {
      const written = writeState(model, packed);
      await expect(written).rejects.toThrow(ReplicaSetupError);
      await expect(written).rejects.toThrow(message);
    });
  }
  expect(weightsOf(model)).toEqual(weights);
  expect(await state()).toEqual(before);
});
