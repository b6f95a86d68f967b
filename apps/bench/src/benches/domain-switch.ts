// Switching a model between the domains of a statistics bank. Nothing is uploaded, so it is cheap enough for every frame.

import { applyStatistics, captureStatistics, statisticsBank } from '@rebatch/domains';
import * as tfl from '@tensorflow/tfjs-layers';
import { formatShape, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { measure } from '../measure.ts';

/** About that of a ResNet-50, which has 53 such layers. */
const LAYERS = 50;

export const domainSwitch: Bench = {
  name: 'domain-switch',
  summary:
    'a switch of domains of a 50-layer model by a statistics bank, against applyStatistics, which uploads',
  cases: () => [switchDomains(64), switchDomains(512)],
};

function switchDomains(channels: number): BenchCase {
  return {
    case: `switch, ${LAYERS} layers`,
    backend: 'wasm',
    shape: formatShape([LAYERS, channels]),
    peer: 'applyStatistics',
    targetMs: 1,
    measure: async () => {
      await useBackend('wasm');
      const model = deepModel(channels);
      const bank = statisticsBank(model);
      try {
        const day = await captureStatistics(model);
        const night = day.map((layer) => ({ ...layer, mean: Array.from(layer.mean, (mean) => mean + 1) }));
        bank.set('day', day);
        bank.set('night', night);
        let at = 0;
        return await measure(
          { run: () => bank.use(at++ % 2 === 0 ? 'night' : 'day') },
          { run: () => applyStatistics(model, at++ % 2 === 0 ? night : day) },
        );
      } finally {
        bank.dispose();
        model.dispose();
      }
    },
  };
}

/** As many layers as a deep model has: between normalizations there are a linear layer and a nonlinearity. */
function deepModel(channels: number): tfl.Sequential {
  const model = tfl.sequential();
  for (let layer = 0; layer < LAYERS; layer++) {
    const kernelInitializer = tfl.initializers.zeros();
    model.add(tfl.layers.dense({ units: channels, kernelInitializer, inputShape: [channels] }));
    model.add(tfl.layers.batchNormalization({}));
    model.add(tfl.layers.reLU());
  }
  return model;
}
