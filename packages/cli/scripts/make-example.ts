// Makes `example/`: a small network for digits whose moving averages lag behind it, as after a short training with the
// momentum of MobileNetV2, digits that it has not seen, as PNG files in a folder per class,
// and others in glaring light.
//
//   pnpm --filter @rebatch/cli make-example
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstDigits, loadDigits } from '@rebatch/digits';
import { writeModel } from '@rebatch/files/node';
import {
  corrupt,
  digitCorruptions,
  imageTensor,
  type LabeledImages,
  labelTensor,
  subset,
} from '@rebatch/images';
import '@rebatch/kernels-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import sharp from 'sharp';
import { artifactsOf } from '../src/model/changed-weights.ts';

const EXAMPLE = fileURLToPath(new URL('../../../example', import.meta.url));
const [BATCH, STEPS, DIGITS, BRIGHT] = [32, 250, 400, 64];

await tf.setBackend('wasm');

const conv = (filters: number, strides: number, seed: number, inputShape?: number[]) =>
  tfl.layers.conv2d({
    filters,
    kernelSize: 3,
    strides,
    useBias: false,
    kernelInitializer: tfl.initializers.heNormal({ seed }),
    name: `conv${seed}`,
    ...(inputShape && { inputShape }),
  });
const norm = (index: number) => tfl.layers.batchNormalization({ name: `bn${index}`, momentum: 0.999 });
const relu = (index: number) => tfl.layers.reLU({ name: `relu${index}` });
const model = tfl.sequential({
  name: 'digits',
  layers: [
    ...[conv(8, 2, 1, [28, 28, 1]), norm(1), relu(1)],
    ...[conv(16, 2, 2), norm(2), relu(2)],
    ...[conv(32, 1, 3), norm(3), relu(3)],
    tfl.layers.globalAveragePooling2d({ name: 'pool' }),
    tfl.layers.dense({
      units: 10,
      activation: 'softmax',
      kernelInitializer: tfl.initializers.glorotNormal({ seed: 4 }),
      name: 'classes',
    }),
  ],
});
model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });

const training = firstDigits(await loadDigits('train'), BATCH * STEPS);
for (let step = 0; step < STEPS; step++) {
  const indices = Array.from({ length: BATCH }, (_, i) => BATCH * step + i);
  const [xs, ys] = [imageTensor(training, indices), labelTensor(training, indices)];
  const loss = await model.trainOnBatch(xs, ys);
  if (step % 50 === 49) console.log(`step ${step + 1}: loss ${Number(loss).toFixed(3)}`);
  tf.dispose([xs, ys]);
}

async function writeDigits({ size, images, labels }: LabeledImages, folder: string): Promise<void> {
  await rm(join(EXAMPLE, folder), { recursive: true, force: true });
  for (let i = 0; i < size; i++) {
    const label = join(EXAMPLE, folder, String(labels[i]));
    await mkdir(label, { recursive: true });
    const pixels = images.subarray(784 * i, 784 * (i + 1));
    const png = sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
      .toColourspace('b-w')
      .png();
    await writeFile(join(label, `${String(i).padStart(3, '0')}.png`), await png.toBuffer());
  }
}

await rm(join(EXAMPLE, 'model'), { recursive: true, force: true });
await writeModel(await artifactsOf(model), join(EXAMPLE, 'model'));
const test = firstDigits(await loadDigits('t10k'), DIGITS + BRIGHT);
const range = (from: number, size: number) => Array.from({ length: size }, (_, i) => from + i);
await writeDigits(subset(test, range(0, DIGITS)), 'digits');
const glare = digitCorruptions.find(({ name }) => name === 'brightness')!;
await writeDigits(corrupt(subset(test, range(DIGITS, BRIGHT)), glare, 4, 1), 'bright');
console.log(`Written: ${EXAMPLE}`);
