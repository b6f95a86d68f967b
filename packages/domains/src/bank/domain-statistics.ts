// One domain of a bank: its statistics on the host, and on the device, where a switch of domains takes them from.
import type { ChannelMoments } from '@rebatch/core';
import { allOrNone } from '@rebatch/core/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { apart, type LayerValues } from './domain-values.ts';

/** The statistics of a domain, [channels] each, in the order of the model's sites. */
type OnDevice = readonly ChannelMoments[];

type Sites = readonly { readonly channels: number }[];

/**
 * On the device they are one tensor, however many sites a model has, until the domain is first used: of many domains that
 * are loaded, a few are. From then on they are the tensors that the model is given.
 */
export class DomainStatistics {
  /** See `joined`. */
  readonly joined: Float32Array;
  readonly values: readonly LayerValues[];
  readonly #sites: Sites;
  #tensors: tf.Tensor1D | OnDevice;
  #backend: string;

  /**
   * @param joined the values, which are not to change from now on.
   * @param onDevice tensors of these values and their backend; from now on held here. Default: uploaded now.
   */
  constructor(
    joined: Float32Array,
    sites: Sites,
    onDevice: { readonly tensors: OnDevice; readonly backend: string } | undefined = undefined,
  ) {
    this.joined = joined;
    this.values = apart(joined, sites);
    this.#sites = sites;
    this.#tensors = onDevice?.tensors ?? upload(joined);
    this.#backend = onDevice?.backend ?? tf.getBackend();
  }

  /** The tensors on the current backend. Some backends cannot hand theirs over, so the values are uploaded anew. */
  tensors(): OnDevice {
    const before = this.#tensors;
    const isHere = tf.getBackend() === this.#backend;
    if (isHere && !(before instanceof tf.Tensor)) return before;
    const whole = isHere ? (before as tf.Tensor1D) : upload(this.joined);
    try {
      const tensors = split(whole, this.#sites);
      this.#tensors = tensors;
      this.#backend = tf.getBackend();
      dispose(before);
      return tensors;
    } finally {
      whole.dispose();
    }
  }

  /** Whether the model has these very tensors: nothing else has been written to it since. */
  isIn(stored: OnDevice): boolean {
    const own = this.#tensors;
    if (own instanceof tf.Tensor) return false;
    return stored.every(
      ({ mean, variance }, i) =>
        mean.dataId === own[i]!.mean.dataId && variance.dataId === own[i]!.variance.dataId,
    );
  }

  dispose(): void {
    dispose(this.#tensors);
  }
}

function dispose(tensors: tf.Tensor | OnDevice): void {
  if (tensors instanceof tf.Tensor) tensors.dispose();
  else for (const { mean, variance } of tensors) tf.dispose([mean, variance]);
}

/** A copy, since some backends give away the very array that a tensor was made of. */
function upload(joined: Float32Array): tf.Tensor1D {
  return tf.keep(tf.tensor1d(joined.slice()));
}

/** The statistics of each site as tensors that stay. No values leave the device. */
function split(whole: tf.Tensor1D, sites: Sites): OnDevice {
  const all = whole.size / 2;
  let at = 0;
  return allOrNone((add) =>
    sites.map(({ channels }) => {
      const [mean, variance] = [at, all + at];
      at += channels;
      return {
        mean: add(tf.keep(tf.slice(whole, mean, channels))),
        variance: add(tf.keep(tf.slice(whole, variance, channels))),
      };
    }),
  );
}
