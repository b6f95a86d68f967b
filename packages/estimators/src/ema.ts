// The running average that batch norm layers keep during training.
import { checkMoments, type Moments, momentsToJSON, unbiasedVariance } from '@rebatch/stats';
import { checkOptions, finite, flag, type OptionRules, oneOf } from '@rebatch/stats/~internal';
import { checkBatch } from './check-batch.ts';
import { EmptyEstimatorError, EstimatorOptionError } from './errors.ts';
import type { Estimator, EstimatorState } from './estimator.ts';
import { readState } from './state.ts';

const KIND = 'ema';
const VERSION = 1;
const VARIANCES = ['biased', 'unbiased'] as const;

/** Options of {@link ema}. */
export interface EmaOptions {
  /** Weight of the past per batch, in [0, 1); the paper's lambda, Keras's `momentum`. Default 0.99. */
  decay?: number;
  /** Divide out the weight of the start (mean 0, variance 1), as Adam does for its averages. Default false. */
  debias?: boolean;
  /** Average the batches' biased variances (Keras) or their Bessel-corrected ones (PyTorch). Default 'biased'. */
  variance?: 'biased' | 'unbiased';
}

const RULES: OptionRules<EmaOptions> = {
  decay: finite({ least: 0, below: 1 }),
  debias: flag,
  variance: oneOf(...VARIANCES),
};

/**
 * Exponential moving average: mu <- decay * mu + (1 - decay) * mu_B per batch, likewise sigma^2 (Wu & Johnson 2021,
 * Sec. 3).
 *
 * What training frameworks use, with their bias: each batch weighs the same whatever its count; the newest
 * 1 / (1 - decay) batches dominate, so the estimate is noisy with a small decay and outdated with a large one while
 * the weights change; and the variance *between* batch means is missing, so sigma^2 is too low for small or
 * correlated batches. It starts at mean 0 and variance 1, as layers do, and that start still weighs decay^t after
 * t batches; `debias` removes it (Kingma & Ba 2015, Sec. 3).
 *
 * `estimate().count` is the number of values seen since the start, though old ones hardly weigh any more. Not
 * mergeable: the order of batches matters.
 *
 * @throws EstimatorOptionError if an option is out of range, or does not exist. `update` needs more than one value per channel when
 *   `variance` is 'unbiased'.
 */
export function ema(options: EmaOptions = {}): Estimator {
  checkOptions('ema', options, RULES, EstimatorOptionError);
  const { decay = 0.99, debias = false, variance = 'biased' } = options;
  return new Ema({ decay, debias, variance });
}

/** Restores an {@link ema} from its JSON. Throws an EstimatorStateError. */
export function emaFromJSON(state: EstimatorState): Estimator {
  const reader = readState(state, KIND, VERSION);
  const options = {
    decay: reader.number('decay', 'a number in [0, 1)', isDecay),
    debias: reader.oneOf('debias', [true, false]),
    variance: reader.oneOf('variance', VARIANCES),
  };
  const { batches, average } = reader.average();
  return new Ema(options, batches, average);
}

function isDecay(value: number): boolean {
  return typeof value === 'number' && value >= 0 && value < 1;
}

class Ema implements Estimator {
  readonly kind = KIND;
  #options: Required<EmaOptions>;
  #batches: number;
  // The debiased average. The other one follows from it, while the reverse would divide small numbers.
  #average: Moments | undefined;

  constructor(options: Required<EmaOptions>, batches = 0, average?: Moments) {
    this.#options = options;
    this.#batches = batches;
    this.#average = average;
  }

  update(batch: Moments): void {
    const { decay, variance } = this.#options;
    checkBatch(KIND, batch, { like: this.#average, bessel: variance === 'unbiased' });
    const batchVariance = variance === 'unbiased' ? unbiasedVariance(batch) : batch.variance;
    const old = this.#average;
    // The newest batch's weight (1 - decay) as a share of all batches' weights, 1 - decay^t.
    const step = (1 - decay) / this.#weight(this.#batches + 1);
    const blend = (from: Float64Array | undefined, to: Float64Array) =>
      from ? from.map((value, c) => value + step * (to[c]! - value)) : to.slice();
    const average = {
      count: (old?.count ?? 0) + batch.count,
      mean: blend(old?.mean, batch.mean),
      variance: blend(old?.variance, batchVariance),
    };
    this.#average = checkMoments(average, 'ema: the average (is it too large for float64?)');
    this.#batches += 1;
  }

  estimate(): Moments {
    if (!this.#average) throw new EmptyEstimatorError(KIND);
    const { count, mean, variance } = this.#average;
    const weight = this.#options.debias ? 1 : this.#weight(this.#batches);
    return {
      count,
      mean: mean.map((m) => weight * m),
      variance: variance.map((v) => weight * v + (1 - weight)),
    };
  }

  toJSON(): EstimatorState {
    return {
      kind: KIND,
      version: VERSION,
      ...this.#options,
      batches: this.#batches,
      average: this.#average ? { ...momentsToJSON(this.#average) } : null,
    };
  }

  /** 1 - decay^batches, exact also for a decay close to 1. */
  #weight(batches: number): number {
    return -Math.expm1(batches * Math.log(this.#options.decay));
  }
}
