// What adapting on every frame of a stream costs. The promise for a camera's model: at most 1.25 times a plain predict.

import { adaptOnline } from '@rebatch/domains';
import { convert } from '@rebatch/layers';
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { measure } from '../measure.ts';
import { buildMobilenet } from '../mobilenet.ts';
import { buildCnn, CNN_INPUT } from '../model.ts';

const TARGET = 1 / 1.25;

/** Why small models are slower than `predict`. */
const CALLS =
  'The model computes for so short that reading and merging the moments of each layer shows: the peer adapts nothing.';

export const onlineAdaptation: Bench = {
  name: 'adapt-online',
  summary: "a frame of adaptOnline over the same model's predict, outputs read",
  cases: () => [
    mobilenet(128, 1, TARGET),
    { ...mobilenet(128, 1, TARGET, convert), peer: 'predict, layers converted' },
    mobilenet(96, 0.5, TARGET),
    // A model whose convolutions take no longer than the calls into them: what is called, and not what is computed.
    { ...mobilenet(96, 0.25), note: CALLS },
    { ...overPredict('16-32-64 CNN, 3 BN', CNN_INPUT, buildCnn), note: CALLS },
  ],
};

function mobilenet(
  side: number,
  width: number,
  target?: number,
  prepare = (model: tfl.LayersModel) => model,
): BenchCase {
  const build = () => prepare(buildMobilenet(side, width));
  return overPredict(`MobileNet ${width}, 27 BN`, [side, side, 3], build, target);
}

function overPredict(
  name: string,
  image: readonly number[],
  build: () => tfl.LayersModel,
  target?: number,
): BenchCase {
  const shape = [1, ...image];
  return {
    case: name,
    backend: 'wasm',
    shape: formatShape(shape),
    peer: 'predict',
    ...(target !== undefined && { target }),
    measure: async () => {
      await useBackend('wasm');
      const model = build();
      const adapter = adaptOnline(model);
      const x = randomTensor(shape, 1);
      try {
        return await measure(
          { run: () => read(adapter.predict(x)) },
          { run: () => read(model.predict(x)) },
          // Long enough that the code of both is compiled by then.
          { warmUpMs: 1000 },
        );
      } finally {
        x.dispose();
        adapter.dispose();
        model.dispose();
      }
    },
  };
}

/** As whoever predicts does. */
async function read(outputs: tf.Tensor | tf.Tensor[]): Promise<void> {
  const y = outputs as tf.Tensor;
  await y.data();
  y.dispose();
}
