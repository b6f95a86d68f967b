// `pnpm --filter @rebatch/demo train`: trains the model that ships with the page on MNIST's 60,000 digits, and writes it
// to public/models/digits. The same seed gives the same files.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import '@rebatch/kernels-wasm';
import { loadDigits } from '@rebatch/digits';
import type { LabeledImages } from '@rebatch/images';
import { batchNormalization } from '@rebatch/layers';
import { iidBatches } from '@rebatch/leakage';
import { recalibrate } from '@rebatch/recalibrate';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import writeFileAtomic from 'write-file-atomic';
import type { DigitModelMetadata } from '../src/network/digit-model.ts';
import { digitNetwork } from '../src/network/digit-network.ts';
import { errorRate } from '../src/network/errors.ts';
import { imagesInBatches } from '../src/network/images-in-batches.ts';
import { cosineDecay, trainOn } from '../src/network/train-on.ts';

const FOLDER = fileURLToPath(new URL('../public/models/digits/', import.meta.url));
const [SEED, EPOCHS, BATCH, PEAK, MOMENTUM] = [1, 4, 128, 0.1, 0.9];
const CHANNELS = [16, 32, 32];

if (!(await tf.setBackend('wasm'))) throw new Error('The WASM backend of TensorFlow.js does not start here.');
const [train, test] = await Promise.all([loadDigits('train'), loadDigits('t10k')]);

let made = 0;
const model = digitNetwork({
  seed: SEED,
  channels: CHANNELS,
  // Names that do not depend on what else was made: banks of statistics are for layers by name.
  layer: (config) => batchNormalization({ ...config, name: `bn${++made}` }),
});
await fit(model, train);
// The population statistics of the network as it will run.
await recalibrate(model, imagesInBatches(train, train.size, 500), { mode: 'layerwise' });
const testError = await errorRate(model, test);
const metadata: DigitModelMetadata = {
  trainedOn: `MNIST, ${train.size} digits, ${EPOCHS} epochs, seed ${SEED}`,
  statistics: `layerwise, ${train.size} digits`,
  testDigits: test.size,
  testError,
};
model.setUserDefinedMetadata({ ...metadata });
await model.save(tf.io.withSaveHandler(writeModel));
console.log(`The test error is ${(100 * testError).toFixed(2)}%. Written to ${FOLDER}`);

/** SGD with momentum, its rate half a cosine from the peak to 0. */
async function fit(model: tfl.LayersModel, digits: LabeledImages): Promise<void> {
  const steps = EPOCHS * Math.floor(digits.size / BATCH);
  const optimizer = tf.train.momentum(PEAK, MOMENTUM);
  const batches = iidBatches({ samples: digits.size, batchSize: BATCH, seed: SEED });
  for (let step = 0; step < steps; step++) {
    optimizer.setLearningRate(cosineDecay(PEAK, step, steps));
    const loss = await trainOn(model, optimizer, digits, batches.next().value as number[]);
    if (step % 50 === 0) console.log(`step ${step} of ${steps}, loss ${loss.toFixed(3)}`);
    await setImmediate();
  }
  optimizer.dispose();
}

/** The two files that `tf.loadLayersModel` reads, each whole or not at all. */
async function writeModel({
  modelTopology,
  weightSpecs,
  weightData,
  userDefinedMetadata,
}: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> {
  if (weightData === undefined || weightSpecs === undefined) throw new Error('The model has no weights.');
  const weights = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
  const json = {
    format: 'layers-model',
    generatedBy: 'Rebatch lab, apps/demo/build/train-model.ts',
    convertedBy: null,
    modelTopology,
    userDefinedMetadata,
    weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
  };
  await mkdir(FOLDER, { recursive: true });
  await writeFileAtomic(join(FOLDER, 'weights.bin'), Buffer.from(weights));
  await writeFileAtomic(join(FOLDER, 'model.json'), `${JSON.stringify(json)}\n`);
  return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
}
