// One step of SGD on a small CNN, from images to updated weights: the whole of training, not one op of it.

import { convert } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { inNode24 } from '../in-node-24.ts';
import { measure, type Side } from '../measure.ts';
import { buildCnn, CNN_INPUT } from '../model.ts';

const BATCH = 16;

export const cnnStep: Bench = {
  name: 'cnn-step',
  summary: 'one SGD step of a 16-32-64 CNN: ours on wasm and on cpu against stock layers on the cpu backend',
  cases: () => {
    const onWasm = stepOn('wasm', 600);
    return [onWasm, ...inNode24(cnnStep, onWasm, 600), stepOn('cpu')];
  },
};

function stepOn(backend: 'wasm' | 'cpu', target?: number): BenchCase {
  return {
    case: '16-32-64 CNN, SGD step',
    backend,
    shape: formatShape([BATCH, ...CNN_INPUT]),
    peer: 'tf.layers on cpu',
    ...(target === undefined ? {} : { target }),
    // A step of the peer takes about ten seconds, so its pairs are few, and one small batch warms it up.
    measure: async () => {
      const ours = await trainingSide(backend, 'ours');
      const peer = await trainingSide('cpu', 'upstream');
      try {
        return await measure(ours, peer, { pairs: [3, 3], sampleMs: 400 });
      } finally {
        ours.dispose();
        peer.dispose();
      }
    },
  };
}

/** A model with its tensors on one backend: our layers and kernels, or the stock ones. */
async function trainingSide(
  backend: 'wasm' | 'cpu',
  whose: 'ours' | 'upstream',
): Promise<Side & { dispose: () => void }> {
  await useBackend(backend, whose);
  const stock = buildCnn();
  const model: tfl.LayersModel = whose === 'ours' ? convert(stock) : stock;
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  const x = randomTensor([BATCH, ...CNN_INPUT], 1);
  const labels = Int32Array.from({ length: BATCH }, (_, at) => at % 10);
  const y = tf.tidy(() => tf.cast(tf.oneHot(labels, 10), 'float32'));
  const step = () => model.trainOnBatch(x, y);
  const small = [tf.slice(x, 0, 2), tf.slice(y, 0, 2)] as const;
  return {
    prepare: () => useBackend(backend, whose),
    run: step,
    ...(whose === 'upstream' ? { warmUp: () => model.trainOnBatch(...small) } : {}),
    dispose: () => {
      tf.dispose([x, y, ...small]);
      model.dispose();
    },
  };
}
