// What a visitor may do at less cost in the place of a site, where nobody else reads what comes there.
import type { ChannelMoments, NormalizeOptions } from '@rebatch/core';
import { batchNormalizeOver, measureOver, normalizeOver } from '@rebatch/core/~internal';
import type { Limits } from '@rebatch/core/kernels';
import type * as tf from '@tensorflow/tfjs-core';
import type { Overwriting, OverwritingMoments } from './normalized-model.ts';

const { POSITIVE_INFINITY } = Number;
export const UNLIMITED: Limits = { low: -POSITIVE_INFINITY, high: POSITIVE_INFINITY };

/** The value at a site, to be overwritten once. */
export class OverSite implements Overwriting {
  /** What took its place, clipped by the activation that follows; undefined while nothing has. */
  result: tf.Tensor | undefined;
  readonly #x: tf.Tensor;
  readonly #options: () => Omit<NormalizeOptions, 'groups'>;
  readonly #limits: Limits;

  constructor(x: tf.Tensor, options: () => Omit<NormalizeOptions, 'groups'>, limits: Limits) {
    this.#x = x;
    this.#options = options;
    this.#limits = limits;
  }

  normalize(statistics: ChannelMoments): tf.Tensor {
    this.result = normalizeOver(this.#x, statistics, this.#options(), this.#limits);
    return this.result;
  }

  normalizeByBatch(): OverwritingMoments {
    return this.#took(batchNormalizeOver(this.#x, this.#options(), this.#limits));
  }

  measure(): OverwritingMoments {
    return this.#took(measureOver(this.#x, this.#options(), this.#limits));
  }

  #took(measured: OverwritingMoments): OverwritingMoments {
    this.result = measured.y;
    return measured;
  }
}
