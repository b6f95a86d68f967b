// A model with the fault that the station is about, for visitors who have none at hand.

import { iidBatches } from '@rebatch/leakage';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { loadDigits } from '../../../data/load-digits.ts';
import type { Run } from '../../../lab/task.ts';
import { digitNetwork } from '../../../network/digit-network.ts';
import { trainOn } from '../../../network/train-on.ts';
import type { ImageSet } from '../images/image-set.ts';

const [STEPS, BATCH, LEARNING_RATE, MOMENTUM, IMAGES] = [120, 64, 0.5, 0.999, 800] as const;

/**
 * A digit network after few steps with a slow moving average: its weights are good, but the average still remembers how
 * they began.
 */
export async function trainExample(
  run: Pick<Run<unknown, unknown>, 'progress' | 'breathe'>,
): Promise<{ readonly model: tfl.LayersModel; readonly images: ImageSet }> {
  const [digits, test] = await Promise.all([loadDigits('train'), loadDigits('test')]);
  const model = digitNetwork({ seed: 1, normalization: { momentum: MOMENTUM } });
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const batches = iidBatches({ samples: digits.size, batchSize: BATCH, seed: 1 });
  try {
    for (let step = 1; step <= STEPS; step++) {
      await run.breathe();
      const loss = await trainOn(model, optimizer, digits, batches.next().value as number[]);
      run.progress(step, STEPS, `step ${step} of ${STEPS}, loss ${loss.toFixed(2)}`);
    }
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    optimizer.dispose();
  }
  const labels = test.labels.subarray(0, IMAGES);
  const images: ImageSet = {
    count: IMAGES,
    size: [28, 28, 1],
    pixels: test.images.subarray(0, IMAGES * 784),
    classes: Int32Array.from(labels),
    paths: Array.from(labels, (label, i) => `${label}_digit${i}.png`),
  };
  return { model, images };
}
