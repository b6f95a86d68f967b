// Small networks of random shape.
import type { SeededRandom } from '@rebatch/testing';
import * as tfl from '@tensorflow/tfjs-layers';
import { randomized } from './networks.test.support.ts';

const { layers } = tfl;

/** Convolutions and depthwise ones with or without batch norm, activations, residual sums, and a dense head. */
export function randomNetwork(random: SeededRandom): tfl.LayersModel {
  const pick = <T>(...choices: readonly T[]): T => choices[random.integer(0, choices.length - 1)]!;
  const chance = () => random.uniform() < 0.5;
  const input = tfl.input({ shape: [6, 5, random.integer(1, 3)], name: 'image' });
  let x = input;
  const then = (layer: tfl.layers.Layer) => {
    x = layer.apply(x) as tfl.SymbolicTensor;
  };
  const activation = (name: string, depthwise: boolean) =>
    pick<() => tfl.layers.Layer | undefined>(
      () => undefined,
      () => layers.reLU({ name }),
      () => layers.reLU({ maxValue: 6, name }),
      () => layers.elu({ name }),
      // TensorFlow.js does not read the slope of one that is fused into a depthwise convolution, and computes NaN.
      () => (depthwise ? layers.elu({ name }) : layers.leakyReLU({ alpha: 0.2, name })),
      () => layers.prelu({ sharedAxes: [1, 2], name }),
      () => layers.activation({ activation: pick('sigmoid', 'tanh'), name }),
    )();
  const blocks = random.integer(1, 4);
  for (let at = 0; at < blocks; at++) {
    const start = x;
    const normalized = chance();
    const common = {
      kernelSize: random.integer(1, 3),
      padding: 'same' as const,
      useBias: !normalized || chance(),
    };
    const name = `linear${at}`;
    const depthwise = chance();
    then(
      !depthwise
        ? layers.conv2d({ ...common, filters: pick(1, 2, 4, x.shape[3]!), strides: pick(1, 1, 2), name })
        : layers.depthwiseConv2d({ ...common, depthMultiplier: pick(1, 1, 2), name }),
    );
    if (normalized) then(layers.batchNormalization({ name: `bn${at}`, scale: chance(), center: chance() }));
    const act = activation(`act${at}`, depthwise);
    if (act) then(act);
    if (x.shape.join() === start.shape.join() && start !== input && chance()) {
      x = layers.add({ name: `sum${at}` }).apply([x, start]) as tfl.SymbolicTensor;
    }
  }
  then(layers.globalAveragePooling2d({ name: 'pool' }));
  then(layers.dense({ units: 3, name: 'head', useBias: chance() }));
  then(layers.batchNormalization({ name: 'head_bn' }));
  return randomized(tfl.model({ inputs: input, outputs: x }), random.integer(1, 1e6));
}
