// The small CNN that the stations train on digits: worker side.

import * as tfl from '@tensorflow/tfjs-layers';
import { type NetworkOptions, partsOf } from './network.ts';

export interface DigitNetworkOptions extends NetworkOptions {
  /** Channels of the convolutions, each followed by 2x2 max pooling. Default 8, 16, 32. */
  readonly channels?: readonly number[];
}

/** 28x28x1 digits to 10 logits. */
export function digitNetwork({ channels = [8, 16, 32], ...options }: DigitNetworkOptions): tfl.Sequential {
  const { glorot, normalized } = partsOf(options);
  const hidden = channels.flatMap((filters, at) => [
    tfl.layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      useBias: false,
      kernelInitializer: glorot(),
      ...(at === 0 ? { inputShape: [28, 28, 1] } : {}),
    }),
    ...normalized(at + 1),
    tfl.layers.maxPooling2d({ poolSize: 2 }),
  ]);
  return tfl.sequential({
    layers: [...hidden, tfl.layers.flatten(), tfl.layers.dense({ units: 10, kernelInitializer: glorot() })],
  });
}
