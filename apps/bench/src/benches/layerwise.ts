// What it costs to adapt a deep model layer by layer: a forward or a few of them, and not one for each layer.

import { adapt, captureReference } from '@rebatch/domains';
import { estimateStatistics, type RecalibrationOptions } from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { measure } from '../measure.ts';
import { buildMobilenetV2 } from '../mobilenet-v2.ts';

const SIDE = 224;
const BATCH = 32;

export const layerwise: Bench = {
  name: 'layerwise',
  summary: "layerwise statistics of MobileNet v2 (52 BN) over the same model's predict of the same images",
  cases: () => [
    overPredict('32 images, one batch', 1, 1 / 1.5, {}),
    overPredict('256 images in batches of 32, 512 MB', 8, 1 / 4, { activationBytes: 512 * 2 ** 20 }),
    adapted('adapt to a reference, 32 images', 1 / 1.5),
  ],
};

function overPredict(
  name: string,
  batches: number,
  target: number,
  options: RecalibrationOptions,
): BenchCase {
  return onModel(name, batches, target, async (model, images) => {
    await estimateStatistics(model, images, { mode: 'layerwise', ...options });
  });
}

function adapted(name: string, target: number): BenchCase {
  let reference: Awaited<ReturnType<typeof captureReference>> | undefined;
  return onModel(name, 1, target, async (model, images) => {
    reference ??= await captureReference(model, images);
    await adapt(model, images, { reference });
  });
}

function onModel(
  name: string,
  batches: number,
  target: number,
  run: (model: tfl.LayersModel, images: tf.Tensor[]) => Promise<void>,
): BenchCase {
  const shape = [BATCH, SIDE, SIDE, 3];
  return {
    case: name,
    backend: 'wasm',
    shape: formatShape(shape),
    peer: 'predict',
    target,
    measure: async () => {
      await useBackend('wasm');
      const model = buildMobilenetV2(SIDE);
      const images = Array.from({ length: batches }, (_, i) => randomTensor(shape, i + 1));
      const predict = async () => {
        for (const x of images) {
          const y = model.predictOnBatch(x) as tf.Tensor;
          await y.data();
          y.dispose();
        }
      };
      try {
        return await measure(
          { run: () => run(model, images), warmUp: () => run(model, images.slice(0, 1)) },
          { run: predict, warmUp: predict },
        );
      } finally {
        tf.dispose(images);
        model.dispose();
      }
    },
  };
}
