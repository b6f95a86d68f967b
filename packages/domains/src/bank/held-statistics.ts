/** One domain of a bank: its statistics on the host, and on the device, where a switch of domains takes them from. */
import type { BatchNormLayer } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import type { LayerValues } from './bank-file.ts';

/** The tensors of a domain, in the order of `variablesOf`. */
type Tensors = readonly tf.Tensor[];

/** What a switch writes to: of each layer the moving mean, then the moving variance. */
export function variablesOf(layers: readonly BatchNormLayer[]) {
  return layers.flatMap(({ movingMean, movingVariance }) => [movingMean, movingVariance]);
}

export class HeldStatistics {
  readonly values: readonly LayerValues[];
  #tensors: Tensors;
  #backend: string;

  /** @param onDevice tensors of these values and their backend; from now on held here. Default: uploaded now. */
  constructor(
    values: readonly LayerValues[],
    onDevice: { readonly tensors: Tensors; readonly backend: string } | undefined = undefined,
  ) {
    this.values = values;
    this.#tensors = onDevice?.tensors ?? upload(values);
    this.#backend = onDevice?.backend ?? tf.getBackend();
  }

  /** The tensors on the current backend. Some backends cannot hand theirs over, so the values are uploaded anew. */
  tensors(): Tensors {
    if (tf.getBackend() !== this.#backend) {
      const before = this.#tensors;
      this.#tensors = upload(this.values);
      this.#backend = tf.getBackend();
      tf.dispose([...before]);
    }
    return this.#tensors;
  }

  /** Whether the variables hold these very tensors: nothing else has been written to them since. */
  isIn(variables: ReturnType<typeof variablesOf>): boolean {
    return variables.every((variable, i) => variable.read().dataId === this.#tensors[i]!.dataId);
  }

  dispose(): void {
    tf.dispose([...this.#tensors]);
  }
}

function upload(values: readonly LayerValues[]): Tensors {
  const tensors: tf.Tensor[] = [];
  try {
    for (const { mean, variance } of values) {
      // Copies, since some backends give away the very array that a tensor was made of.
      for (const array of [mean, variance]) tensors.push(tf.keep(tf.tensor1d(array.slice())));
    }
    return tensors;
  } catch (error) {
    tf.dispose(tensors);
    throw error;
  }
}
