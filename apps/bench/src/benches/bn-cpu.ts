// Batch normalization on the cpu backend, as training runs it: forward, then the gradients of x, gamma and beta.

import { batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, randomTensor, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { layerSide } from '../layer-side.ts';
import { type Measurement, measure } from '../measure.ts';

export const bnCpu: Bench = {
  name: 'bn-cpu',
  summary:
    'forward + backward of batch normalization on the cpu backend, against tf.layers and against copying memory',
  cases: () => [
    againstLayers('layer', [64, 28, 28, 64], 40),
    againstLayers('layer, C = 17', [64, 28, 28, 17]),
    againstCopies(),
  ],
};

function againstLayers(name: string, shape: readonly number[], target?: number): BenchCase {
  return {
    case: name,
    backend: 'cpu',
    shape: formatShape(shape),
    peer: 'tf.layers.batchNormalization',
    ...(target === undefined ? {} : { target }),
    // A run of the peer takes seconds, so its pairs are few, and two samples warm it up.
    measure: () =>
      withInputs(shape, (x, dy) => {
        const peer = tfl.layers.batchNormalization({});
        const side = layerSide(peer, x, dy);
        const small = layerSide(peer, tf.slice(x, 0, 2), tf.slice(dy, 0, 2));
        return measure(
          { ...layerSide(batchNormalization({}), x, dy), prepare: () => useBackend('cpu', 'ours') },
          { ...side, prepare: () => useBackend('cpu', 'upstream'), warmUp: small.run },
          { pairs: [3, 3], sampleMs: 400 },
        );
      }),
  };
}

/** As in bn-train: no implementation moves less memory than four copies do. */
function againstCopies(): BenchCase {
  const shape = [64, 28, 28, 64];
  return {
    case: 'layer, against the bound',
    backend: 'cpu',
    shape: formatShape(shape),
    peer: '4 typed-array copies (8 passes)',
    note: 'JavaScript computes one float64 at a time, where a copy moves 32 bytes: the bound is that of memory alone.',
    measure: () =>
      withInputs(shape, (x, dy) => {
        const source = Float32Array.from(x.dataSync());
        const copy = new Float32Array(source.length);
        const run = () => {
          for (let i = 0; i < 4; i++) copy.set(source);
        };
        const ours = {
          ...layerSide(batchNormalization({}), x, dy),
          prepare: () => useBackend('cpu', 'ours'),
        };
        return measure(ours, { run }, { budgetMs: 2000 });
      }),
  };
}

async function withInputs(
  shape: readonly number[],
  use: (x: tf.Tensor, dy: tf.Tensor) => Promise<Measurement>,
): Promise<Measurement> {
  await useBackend('cpu', 'ours');
  const [x, dy] = [randomTensor(shape, 1, 0.5, 2), randomTensor(shape, 2)];
  try {
    return await use(x, dy);
  } finally {
    tf.dispose([x, dy]);
  }
}
