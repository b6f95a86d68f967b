// Models of every shape that tf.layers has, each built with whatever batch normalization is wanted. Not published.
import { randomizeWeights, randomTensor } from '@rebatch/test-models';
import type * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

const { layers } = tfl;
type Tensor = tfl.SymbolicTensor;

/** Makes a batch normalization layer, as `tf.layers.batchNormalization` does. */
export type MakeBatchNorm = (config: {
  name: string;
  inputShape?: number[];
  axis?: number;
}) => tfl.layers.Layer;

const dense = (units: number, name: string, more: object = {}) => layers.dense({ units, name, ...more });
const apply = (layer: tfl.layers.Layer, ...inputs: Tensor[]) =>
  layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as Tensor;

const BUILDERS: Record<string, (bn: MakeBatchNorm) => tfl.LayersModel> = {
  'a sequence that begins with it': (bn) =>
    tfl.sequential({
      name: 'net',
      layers: [
        bn({ name: 'first', inputShape: [5, 5, 3] }),
        layers.flatten({ name: 'flat' }),
        dense(2, 'head'),
        bn({ name: 'last' }),
      ],
    }),
  'a graph of several inputs and outputs': (bn) => {
    const [a, b] = [tfl.input({ shape: [3], name: 'a' }), tfl.input({ shape: [4], name: 'b' })];
    const left = apply(bn({ name: 'left' }), apply(dense(4, 'widen'), a));
    const right = apply(bn({ name: 'right' }), b);
    const both = apply(layers.add({ name: 'both' }), left, apply(layers.reLU({ name: 'relu' }), right));
    return tfl.model({
      name: 'graph',
      inputs: [b, a],
      outputs: [both, left, apply(dense(2, 'head'), right)],
    });
  },
  'nested models': (bn) => {
    const deepest = tfl.sequential({
      name: 'deepest',
      layers: [dense(4, 'in', { inputShape: [4] }), bn({ name: 'deep' })],
    });
    const x = tfl.input({ shape: [4], name: 'x' });
    const inner = tfl.model({
      name: 'inner',
      inputs: x,
      outputs: apply(bn({ name: 'after' }), apply(deepest, x)),
    });
    return tfl.sequential({
      name: 'outer',
      layers: [inner, layers.reLU({ name: 'relu' }), bn({ name: 'top' })],
    });
  },
  'shared layers and a shared model': (bn) => {
    const [a, b] = [tfl.input({ shape: [4], name: 'a' }), tfl.input({ shape: [4], name: 'b' })];
    const tower = tfl.sequential({
      name: 'tower',
      layers: [dense(4, 'in', { inputShape: [4] }), bn({ name: 'inside' })],
    });
    const shared = bn({ name: 'shared' });
    const [left, right] = [apply(shared, apply(tower, a)), apply(shared, apply(tower, b))];
    return tfl.model({
      name: 'twins',
      inputs: [a, b],
      outputs: apply(layers.concatenate({ name: 'both' }), left, right),
    });
  },
  'a wrapped layer and a wrapped model': (bn) => {
    const block = tfl.sequential({
      name: 'block',
      layers: [dense(3, 'in', { inputShape: [4] }), bn({ name: 'wrapped_inside' })],
    });
    return tfl.sequential({
      name: 'steps',
      layers: [
        layers.timeDistributed({ name: 'each', layer: bn({ name: 'wrapped' }), inputShape: [6, 4] } as never),
        layers.timeDistributed({ name: 'each_block', layer: block }),
        bn({ name: 'after' }),
      ],
    });
  },
  'recurrent layers around it': (bn) =>
    tfl.sequential({
      name: 'recurrent',
      layers: [
        bn({ name: 'before', inputShape: [5, 3] }),
        layers.bidirectional({
          name: 'both_ways',
          layer: layers.gru({
            name: 'gru',
            units: 2,
            returnSequences: true,
            recurrentInitializer: 'glorotNormal',
          }) as never,
          mergeMode: 'concat',
        }),
        bn({ name: 'between' }),
        layers.rnn({
          name: 'stacked',
          cell: layers.stackedRNNCells({
            name: 'cells',
            cells: ['one', 'two'].map((name) =>
              layers.simpleRNNCell({ name, units: 3, recurrentInitializer: 'glorotNormal' }),
            ),
          }) as never,
        }),
      ],
    }),
};

export const MODEL_NAMES = Object.keys(BUILDERS);

/** A model, and inputs for it. The same name, the same weights and inputs. */
export function build(name: string, bn: MakeBatchNorm): { model: tfl.LayersModel; xs: tf.Tensor[] } {
  const model = BUILDERS[name]!(bn);
  randomizeWeights(model, 5);
  const xs = model.inputs.map(({ shape }, at) => randomTensor([3, ...(shape.slice(1) as number[])], 7 + at));
  return { model, xs };
}
