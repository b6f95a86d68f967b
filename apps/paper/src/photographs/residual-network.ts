// The network for photographs: a small residual network.

import { type BatchNormalizationConfig, batchNormalization } from '@rebatch/layers';
import * as tfl from '@tensorflow/tfjs-layers';

export interface ResidualOptions {
  readonly seed: number;
  /** Weight of the past in the layers' own moving statistics; default 0.9. */
  readonly momentum?: number;
  /** Channels of the stages; each but the first halves height and width. Default 16, 32 and 64. */
  readonly channels?: readonly number[];
  /** Residual blocks in each stage; default 1, which makes a ResNet-8. */
  readonly blocks?: number;
  /** Samples that are normalized together in training; default all of the batch. */
  readonly normalizationBatchSize?: number;
  /** Makes the layers that normalize; default ordinary batch normalization. */
  readonly normalization?: (config: BatchNormalizationConfig) => tfl.layers.Layer;
  /** Height, width and channels of an image; default 32, 32, 3. */
  readonly inputShape?: readonly [number, number, number];
  /** Default 10. */
  readonly classes?: number;
}

/** From 0 to 1 to about mean 0 and deviation 1: photographs have means near 0.47 and deviations near 0.25. */
const RESCALED = { scale: 4, offset: -1.9 };

/**
 * A residual network (He et al. 2016, as they have it for CIFAR-10, but with 1x1 convolutions where a shortcut changes its
 * shape) that ends in a logit per class. It takes values from 0 to 1. The same seed gives the same weights.
 */
export function buildResidualNetwork(options: ResidualOptions): tfl.LayersModel {
  const { channels = [16, 32, 64], blocks = 1, inputShape = [32, 32, 3], classes = 10 } = options;
  const layers = layersOf(options);
  const input = tfl.input({ shape: [...inputShape] });
  let x = tfl.layers.rescaling(RESCALED).apply(input) as tfl.SymbolicTensor;
  x = layers.relu(layers.normalized(x, channels[0]!, 3, 1));
  channels.forEach((width, stage) => {
    for (let block = 0; block < blocks; block++) {
      const strides = stage > 0 && block === 0 ? 2 : 1;
      const inner = layers.relu(layers.normalized(x, width, 3, strides));
      const residual = layers.normalized(inner, width, 3, 1);
      const shortcut = strides === 1 ? x : layers.normalized(x, width, 1, strides);
      x = layers.relu(tfl.layers.add().apply([residual, shortcut]) as tfl.SymbolicTensor);
    }
  });
  const pooled = tfl.layers.globalAveragePooling2d({}).apply(x) as tfl.SymbolicTensor;
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 1000 * options.seed });
  const logits = tfl.layers.dense({ units: classes, kernelInitializer }).apply(pooled) as tfl.SymbolicTensor;
  return tfl.model({ inputs: input, outputs: logits });
}

function layersOf({
  seed,
  momentum = 0.9,
  normalizationBatchSize,
  normalization = batchNormalization,
}: ResidualOptions) {
  let next = 0;
  return {
    relu: (x: tfl.SymbolicTensor) => tfl.layers.reLU().apply(x) as tfl.SymbolicTensor,
    /** A convolution without bias, and the layer that normalizes what it gives. */
    normalized(
      x: tfl.SymbolicTensor,
      filters: number,
      kernelSize: number,
      strides: number,
    ): tfl.SymbolicTensor {
      next++;
      const convolution = tfl.layers.conv2d({
        filters,
        kernelSize,
        strides,
        padding: 'same',
        useBias: false,
        kernelInitializer: tfl.initializers.heNormal({ seed: 1000 * seed + next }),
      });
      const normalize = normalization({ momentum, name: `bn${next}_${++names}`, normalizationBatchSize });
      return normalize.apply(convolution.apply(x)) as tfl.SymbolicTensor;
    },
  };
}

/** Names are unique in a process, as those that TensorFlow.js makes up. */
let names = 0;
