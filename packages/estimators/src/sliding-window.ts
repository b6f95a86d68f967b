// PreciseBN's formula over recent data only: for statistics that follow a model or a source as it changes.
import { copyMoments, type Moments, mergeAllMoments, momentsToJSON } from '@rebatch/stats';
import { checkOptions, integer, type OptionRules, required } from '@rebatch/stats/~internal';
import { checkBatch } from './check-batch.ts';
import { EmptyEstimatorError, EstimatorOptionError } from './errors.ts';
import type { Estimator, EstimatorState } from './estimator.ts';
import { readState } from './state.ts';

const KIND = 'slidingWindow';
const VERSION = 1;

/** Options of {@link slidingWindow}. */
export interface SlidingWindowOptions {
  /** How many of the newest batches count; an integer >= 1. */
  batches: number;
}

const WINDOW = integer({ least: 1 });
const RULES: OptionRules<SlidingWindowOptions> = {
  batches: required({ ...WINDOW, advice: 'Call slidingWindow({ batches: 100 }).' }),
};

/**
 * The exact moments of all values in the last `batches` batches, weighted by count: `populationVariance` with a
 * memory. Where an EMA must choose between outdated and noisy (Wu & Johnson 2021, Sec. 3), a window forgets
 * completely and weighs all that it keeps the same; but while the weights change, it too mixes several models, and
 * it knows nothing of what lies further back.
 *
 * `estimate().count` is the number of values in the window. Memory grows with the window: two float64 per channel
 * and batch. Not mergeable: the order of batches matters.
 *
 * @throws EstimatorOptionError if `batches` is not an integer >= 1, or for an option that does not exist.
 */
export function slidingWindow(options: SlidingWindowOptions): Estimator {
  checkOptions('slidingWindow', options, RULES, EstimatorOptionError);
  return new SlidingWindow(options.batches, []);
}

/** Restores a {@link slidingWindow} from its JSON. Throws an EstimatorStateError. */
export function slidingWindowFromJSON(state: EstimatorState): Estimator {
  const reader = readState(state, KIND, VERSION);
  const batches = reader.number('batches', 'an integer >= 1', WINDOW.allows);
  const recent = reader.momentsList('recent');
  if (recent.length > batches) reader.fail('recent', `at most ${batches} sets of moments`);
  const alike = recent.every(({ mean }) => mean.length === recent[0]!.mean.length);
  if (!alike) reader.fail('recent', 'moments of the same channels');
  return new SlidingWindow(batches, recent);
}

class SlidingWindow implements Estimator {
  readonly kind = KIND;
  readonly #batches: number;
  readonly #recent: Moments[];

  constructor(batches: number, recent: Moments[]) {
    this.#batches = batches;
    this.#recent = recent;
  }

  update(batch: Moments): void {
    checkBatch(KIND, batch, { like: this.#recent[0] });
    this.#recent.push(copyMoments(batch));
    if (this.#recent.length > this.#batches) this.#recent.shift();
  }

  estimate(): Moments {
    if (this.#recent.length === 0) throw new EmptyEstimatorError(KIND);
    return mergeAllMoments(this.#recent);
  }

  toJSON(): EstimatorState {
    return {
      kind: KIND,
      version: VERSION,
      batches: this.#batches,
      recent: this.#recent.map((moments) => ({ ...momentsToJSON(moments) })),
    };
  }
}
