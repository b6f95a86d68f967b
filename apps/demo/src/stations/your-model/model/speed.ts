// How long a model takes for an image, to say before anything that runs it many times.

import * as tf from '@tensorflow/tfjs-core';
import { type ImageSet, inputsOf } from '../images/image-set.ts';
import { type ImageModel, outputOf } from './image-model.ts';
import { mostAtOnce } from './memory.ts';

/** Images that are timed: enough that a batch's own cost does not count for much. */
const TIMED = 4;

/** Seconds for one image, forwards alone. The first run, which compiles and allocates, does not count. */
export async function secondsPerImage(model: ImageModel, images: ImageSet): Promise<number> {
  const count = Math.min(TIMED, images.count, mostAtOnce(model, images.size));
  const indices = Array.from({ length: count }, (_, i) => i);
  const run = async () => {
    const started = performance.now();
    const output = tf.tidy(() => outputOf(model, inputsOf(images, indices, '0..1')));
    try {
      // Not before it is computed, which is later on a GPU.
      await output.data();
    } finally {
      output.dispose();
    }
    return (performance.now() - started) / 1000 / count;
  };
  await run();
  return run();
}
