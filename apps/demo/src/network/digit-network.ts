// The small CNN that the stations train on digits: worker side.

import { imageTensor, type LabeledImages, labelTensor, ranges } from '@rebatch/digits';
import { type BatchNormalizationConfig, batchNormalization } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

export interface DigitNetworkOptions {
  readonly seed: number;
  /** Settings of each batch normalization layer, such as `momentum` or `normalizationBatchSize`. */
  readonly normalization?: BatchNormalizationConfig;
  /** Makes the layers that normalize; default `batchNormalization` of @rebatch/layers. */
  readonly layer?: (config: BatchNormalizationConfig) => tfl.layers.Layer;
  /** Channels of the convolutions, each followed by 2x2 max pooling. Default 8, 16, 32. */
  readonly channels?: readonly number[];
}

/** 28x28x1 digits to 10 logits. The same seed gives the same weights. */
export function digitNetwork(options: DigitNetworkOptions): tfl.Sequential {
  const { seed, normalization = {}, layer = batchNormalization, channels = [8, 16, 32] } = options;
  let next = seed * 1000;
  const glorot = () => tfl.initializers.glorotUniform({ seed: ++next });
  const model = tfl.sequential();
  channels.forEach((filters, at) => {
    model.add(
      tfl.layers.conv2d({
        filters,
        kernelSize: 3,
        padding: 'same',
        useBias: false,
        kernelInitializer: glorot(),
        ...(at === 0 ? { inputShape: [28, 28, 1] } : {}),
      }),
    );
    model.add(layer({ name: `bn${at + 1}_${++made}`, ...normalization }));
    model.add(tfl.layers.activation({ activation: 'relu' }));
    model.add(tfl.layers.maxPooling2d({ poolSize: 2 }));
  });
  model.add(tfl.layers.flatten());
  model.add(tfl.layers.dense({ units: 10, kernelInitializer: glorot() }));
  return model;
}

let made = 0;

/** One optimizer step on these digits. Returns the loss. */
export async function trainOn(
  model: tfl.LayersModel,
  optimizer: tf.Optimizer,
  digits: LabeledImages,
  indices: readonly number[],
): Promise<number> {
  const loss = tf.tidy(() => {
    const [xs, ys] = [imageTensor(digits, indices), labelTensor(digits, indices)];
    return optimizer.minimize(
      () => tf.losses.softmaxCrossEntropy(ys, model.apply(xs, { training: true }) as tf.Tensor) as tf.Scalar,
      true,
    ) as tf.Scalar;
  });
  try {
    return (await loss.data())[0] as number;
  } finally {
    loss.dispose();
  }
}

/**
 * The share of digits that the model gets wrong, 0 to 1, in the inference mode of its layers. To measure under mini-batch
 * statistics, call it within `withStatistics` of @rebatch/layers.
 *
 * @param breathe called between batches.
 */
export async function errorRate(
  model: tfl.LayersModel,
  digits: LabeledImages,
  { batch = 250, breathe = async () => {} }: { batch?: number; breathe?: () => Promise<void> } = {},
): Promise<number> {
  let wrong = 0;
  for (const indices of ranges(digits.size, batch)) {
    await breathe();
    const predicted = tf.tidy(() => {
      const logits = model.apply(imageTensor(digits, indices), { training: false }) as tf.Tensor;
      return tf.argMax(logits, -1);
    });
    const classes = await predicted.data();
    predicted.dispose();
    indices.forEach((index, at) => {
      if (classes[at] !== digits.labels[index]) wrong++;
    });
  }
  return wrong / digits.size;
}
