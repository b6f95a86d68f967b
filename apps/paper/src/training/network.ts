// The network of the experiments, and its training step.

import { imageTensor, type LabeledImages, labelTensor, ranges } from '@rebatch/images';
import { type BatchNormalizationConfig, batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

/** A 3x3 convolution with so many channels, BN and ReLU; or 2x2 max pooling. */
export type Block = number | 'pool';

export interface NetworkOptions {
  readonly seed: number;
  /** Weight of the past in the layers' own moving statistics. */
  readonly momentum: number;
  /** Default 16, 32 and 64 channels, each pooled. */
  readonly blocks?: readonly Block[];
  /** Samples that are normalized together in training; default all of the batch. */
  readonly normalizationBatchSize?: number;
  /** Height, width and channels of an image; default 28, 28, 1. */
  readonly inputShape?: readonly [number, number, number];
  /** Default 10. */
  readonly classes?: number;
  /** Makes the layers that normalize; default ordinary batch normalization. */
  readonly normalization?: (config: BatchNormalizationConfig) => tfl.layers.Layer;
}

/** Five BN layers, of which the last sees a single position per sample: there a normalization batch is as small as its name. */
export const FIVE_LAYERS: readonly Block[] = [8, 'pool', 16, 'pool', 32, 'pool', 32, 'pool', 32];

const BLOCKS: readonly Block[] = [16, 'pool', 32, 'pool', 64, 'pool'];

/** A CNN that ends in a logit per class; the same seed gives the same weights. */
export function buildNetwork(options: NetworkOptions): tfl.Sequential {
  const { seed, momentum, blocks = BLOCKS, normalizationBatchSize } = options;
  const { inputShape = [28, 28, 1], classes = 10, normalization = batchNormalization } = options;
  let next = seed * 1000;
  const glorot = () => tfl.initializers.glorotUniform({ seed: ++next });
  const layers = blocks.flatMap((block, i): tfl.layers.Layer[] => {
    if (block === 'pool') return [tfl.layers.maxPooling2d({ poolSize: 2 })];
    return [
      tfl.layers.conv2d({
        filters: block,
        kernelSize: 3,
        padding: 'same',
        useBias: false,
        kernelInitializer: glorot(),
        ...(i === 0 ? { inputShape: [...inputShape] } : {}),
      }),
      normalization({ momentum, name: `bn${i + 1}_${++names}`, normalizationBatchSize }),
      tfl.layers.activation({ activation: 'relu' }),
    ];
  });
  return tfl.sequential({
    layers: [
      ...layers,
      tfl.layers.flatten(),
      tfl.layers.dense({ units: classes, kernelInitializer: glorot() }),
    ],
  });
}

let names = 0;

/** One optimizer step on these samples, in training mode. */
export function trainStep(
  model: tfl.LayersModel,
  optimizer: tf.Optimizer,
  images: LabeledImages,
  indices: readonly number[],
): void {
  tf.tidy(() => {
    const xs = imageTensor(images, indices);
    const ys = labelTensor(images, indices);
    const loss = () =>
      tf.losses.softmaxCrossEntropy(ys, model.apply(xs, { training: true }) as tf.Tensor) as tf.Scalar;
    optimizer.minimize(loss);
  });
}

/**
 * The share of images that the model gets wrong, 0 to 1.
 *
 * @param batches which images are normalized together, by index: all of them in batches of so many, or these.
 * @param statistics 'population' normalizes by the layers' moving statistics, as inference does; 'batch' by each
 *   batch's own, as training does (which also moves the moving statistics: put them back after).
 */
export async function errorRate(
  model: tfl.LayersModel,
  images: LabeledImages,
  batches: number | Iterable<readonly number[]>,
  statistics: 'population' | 'batch' = 'population',
): Promise<number> {
  let [wrong, all] = [0, 0];
  for (const indices of typeof batches === 'number' ? ranges(images.size, batches) : batches) {
    const predicted = tf.tidy(() => {
      const logits = model.apply(imageTensor(images, indices), {
        training: statistics === 'batch',
      }) as tf.Tensor;
      return tf.argMax(logits, -1);
    });
    const classes = await predicted.data();
    predicted.dispose();
    indices.forEach((index, i) => {
      if (classes[i] !== images.labels[index]) wrong++;
    });
    all += indices.length;
  }
  return wrong / all;
}
