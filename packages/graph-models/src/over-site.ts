// What a visitor may do in the place of a folded site at less cost, as nobody else reads what comes there.
import type { ChannelMoments, NormalizeOptions } from '@rebatch/core';
import { clipped, measureOver, normalizeOver } from '@rebatch/core/~internal';
import type { Limits } from '@rebatch/core/kernels';
import type { Overwriting } from '@rebatch/models';
import type * as tf from '@tensorflow/tfjs-core';

const { POSITIVE_INFINITY } = Number;
export const UNLIMITED: Limits = { low: -POSITIVE_INFINITY, high: POSITIVE_INFINITY };

/** The value at a site, to be overwritten once. */
export class OverSite implements Overwriting {
  /** What took its place, clipped by the activation that follows; undefined while nothing has. */
  result: tf.Tensor | undefined;
  readonly #x: tf.Tensor;
  readonly #options: Omit<NormalizeOptions, 'groups'>;
  readonly #limits: Limits;

  constructor(x: tf.Tensor, options: Omit<NormalizeOptions, 'groups'>, limits: Limits) {
    this.#x = x;
    this.#options = options;
    this.#limits = limits;
  }

  normalize(statistics: ChannelMoments): tf.Tensor {
    this.result = normalizeOver(this.#x, statistics, this.#options, this.#limits);
    return this.result;
  }

  measure(): ReturnType<Overwriting['measure']> {
    const measured = measureOver(this.#x, this.#options, this.#limits);
    this.result = measured.y;
    return measured;
  }
}

/** A tensor that is ours already, clipped. */
export const clip = (y: tf.Tensor, limits: Limits): tf.Tensor =>
  limits === UNLIMITED ? y : clipped(y, limits);
