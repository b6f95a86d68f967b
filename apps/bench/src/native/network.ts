// Networks that two libraries build alike: as a list of steps, from which ours and PyTorch's are made.

import { batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

/** Convolutions have no bias; with stride 2 they are padded alike on all sides, as PyTorch has it. */
export type Step =
  | {
      readonly op: 'conv' | 'depthwise';
      readonly filters: number;
      readonly kernel: number;
      readonly stride: number;
    }
  | { readonly op: 'norm' | 'relu' | 'halve' | 'mean' | 'flatten' }
  | { readonly op: 'dense'; readonly units: number }
  /** The sum of both paths. */
  | { readonly op: 'residual'; readonly main: readonly Step[]; readonly shortcut: readonly Step[] };

export interface Network {
  readonly name: string;
  /** Height, width and channels of an image. */
  readonly input: readonly [number, number, number];
  readonly steps: readonly Step[];
}

const conv = (filters: number, kernel = 3, stride = 1): Step => ({ op: 'conv', filters, kernel, stride });
const [norm, relu] = [{ op: 'norm' }, { op: 'relu' }] as const;
const classifier: readonly Step[] = [{ op: 'mean' }, { op: 'dense', units: 10 }];

function block(filters: number, stride: number): Step[] {
  const main = [conv(filters, 3, stride), norm, relu, conv(filters), norm];
  const shortcut = stride === 1 ? [] : [conv(filters, 1, stride), norm];
  return [{ op: 'residual', main, shortcut }, relu];
}

/** He et al. 2016 at its smallest: 7 convolutions of 16, 32 and 64 channels, and a dense layer. */
export const RESNET_8: Network = {
  name: 'ResNet-8',
  input: [32, 32, 3],
  steps: [conv(16), norm, relu, ...block(16, 1), ...block(32, 2), ...block(64, 2), ...classifier],
};

/** The CNN of the other benches, as in `model.ts`. */
export const CNN: Network = {
  name: '16-32-64 CNN',
  input: [28, 28, 1],
  steps: [
    ...[16, 32, 64].flatMap((filters): Step[] => [conv(filters), norm, relu, { op: 'halve' }]),
    { op: 'flatten' },
    { op: 'dense', units: 10 },
  ],
};

const separable = (filters: number, stride: number): Step[] => [
  ...[{ op: 'depthwise', filters: 0, kernel: 3, stride } as const, norm, relu],
  ...[conv(filters, 1), norm, relu],
];

/** Howard et al. 2017, of a quarter of the width and less deep: depthwise and 1x1 convolutions, and strides. */
export const SMALL_MOBILENET: Network = {
  name: 'small MobileNet',
  input: [64, 64, 3],
  steps: [
    ...[conv(16, 3, 2), norm, relu],
    ...separable(32, 1),
    ...separable(64, 2),
    ...separable(64, 1),
    ...separable(128, 2),
    ...separable(128, 1),
    ...separable(256, 2),
    ...classifier,
  ],
};

/**
 * The network with our batch normalization, not compiled, with the same weights on each call.
 *
 * @param norm makes its normalization layers.
 */
export function buildNetwork(
  { input, steps }: Network,
  norm: () => tfl.layers.Layer = () => batchNormalization({}),
): {
  readonly model: tfl.LayersModel;
  /** What is trained of it, in the order of the steps, those of a main path before those of its shortcut. */
  readonly weights: () => readonly tf.Tensor[];
} {
  const layers: tfl.layers.Layer[] = [];
  const initializer = () => tfl.initializers.heNormal({ seed: layers.length + 1 });
  const layerOf = (step: Exclude<Step, { op: 'residual' }>): tfl.layers.Layer => {
    switch (step.op) {
      case 'conv':
      case 'depthwise':
        return convolution(step, initializer());
      case 'norm':
        return norm();
      case 'relu':
        return tfl.layers.reLU({});
      case 'halve':
        return tfl.layers.maxPooling2d({ poolSize: 2 });
      case 'mean':
        return tfl.layers.globalAveragePooling2d({});
      case 'flatten':
        return tfl.layers.flatten();
      default:
        return tfl.layers.dense({
          units: step.units,
          activation: 'softmax',
          kernelInitializer: initializer(),
        });
    }
  };
  const build = (x: tfl.SymbolicTensor, path: readonly Step[]): tfl.SymbolicTensor =>
    path.reduce((y, step) => {
      if (step.op === 'residual') {
        const paths = [build(y, step.main), build(y, step.shortcut)];
        return tfl.layers.add().apply(paths) as tfl.SymbolicTensor;
      }
      layers.push(layerOf(step));
      return layers.at(-1)!.apply(y) as tfl.SymbolicTensor;
    }, x);
  const inputs = tfl.input({ shape: [...input] });
  const model = tfl.model({ inputs, outputs: build(inputs, steps) });
  return {
    model,
    weights: () => layers.flatMap((layer) => layer.trainableWeights.map((weight) => weight.read())),
  };
}

type Initializer = ReturnType<typeof tfl.initializers.heNormal>;

function convolution(
  { op, filters, kernel, stride }: Extract<Step, { op: 'conv' | 'depthwise' }>,
  initializer: Initializer,
): tfl.layers.Layer {
  const common = { kernelSize: kernel, strides: stride, padding: 'same', useBias: false } as const;
  const layer =
    op === 'conv'
      ? tfl.layers.conv2d({ ...common, filters, kernelInitializer: initializer })
      : tfl.layers.depthwiseConv2d({ ...common, depthwiseInitializer: initializer });
  // With stride 2, 'same' pads at the end only; tf.layers have no other padding, tf.conv2d has.
  if (stride > 1 && kernel > 1) {
    const each = [(kernel - 1) / 2, (kernel - 1) / 2] as [number, number];
    const pad: tf.backend_util.ExplicitPadding = [[0, 0], each, each, [0, 0]];
    layer.call = (inputs) => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
      const filter = layer.weights[0]!.read() as tf.Tensor4D;
      return op === 'conv' ? tf.conv2d(x, filter, stride, pad) : tf.depthwiseConv2d(x, filter, stride, pad);
    };
  }
  return layer;
}
