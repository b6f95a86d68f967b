// What is decided before any batch is read: what is asked for, of which model, and with what it is collected.
import type { Estimator } from '@rebatch/estimators';
import type { NormalizedModel, RecalibrationData } from '@rebatch/models';
import { openSource, type readStatistics, type Source } from '@rebatch/models/~internal';
import type { Moments } from '@rebatch/stats';
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { checkSource, checkStateless, checkUnfolded } from './checks.ts';
import { RecalibrationOptionError } from './errors.ts';
import { FirstInputs } from './inputs.ts';
import { type RecalibrationOptions, readOptions } from './options.ts';
import { type BatchObserver, checkRunning, type Run } from './pass.ts';
import type { Prior } from './prior.ts';
import type { MeasurePass, ShardOptions } from './shards/from-shards.ts';

/** What siblings may ask of an estimate beyond its options. */
export interface EstimateFor {
  /** Told of every batch that counts, before its progress is. */
  readonly observe?: BatchObserver;
  /** See `Run`. */
  readonly outputs?: Run['outputs'];
  /**
   * Moments of the model's sites on inputs that it is known to work on, one per site (undefined for one that they did not
   * reach): the new statistics are then relative to these, see `matchMoments` of `@rebatch/stats`.
   */
  readonly reference?: readonly (Moments | undefined)[];
  /** See `Run`. */
  readonly singleValueRemedy?: Run['singleValueRemedy'];
  /** See `Run`. */
  readonly canSkip?: Run['canSkip'];
  /** The signature of all batches, and why no other will do. */
  readonly expected?: Run['expected'];
  /** Whether the report is to say what the inputs were. Default true; it costs a look at all of the first batch. */
  readonly looks?: boolean;
  /** Measures behind sites with the statistics that they have, in one pass, whatever the mode. */
  readonly asStored?: boolean;
  /** Takes in what is measured elsewhere, in the place of the data. */
  readonly shards?: ShardOptions & { readonly measure: MeasurePass };
}

/** In the place of data of which nothing is read here. */
const ELSEWHERE: Source = {
  ...{ owned: false, repeatable: true, endless: false },
  open: async () => ({ next: () => ({ done: true, value: undefined }) }),
};

/** Checks all that can be checked before anything runs. */
export function startRun(
  who: string,
  model: NormalizedModel,
  data: RecalibrationData | undefined,
  options: RecalibrationOptions,
  {
    observe,
    outputs,
    reference,
    singleValueRemedy,
    canSkip,
    expected,
    asStored = false,
    looks = true,
    shards,
  }: EstimateFor,
): Run {
  const settings = readOptions(who, options);
  checkStateless(model);
  if (!asStored && reference === undefined) checkUnfolded(model);
  const source = shards ? undefined : openSource(data as RecalibrationData);
  checkSource(source, settings);
  const run: Run = {
    model,
    source: source ?? ELSEWHERE,
    settings,
    backend: tf.getBackend(),
    skipped: new Set(),
    observe,
    outputs,
    singleValueRemedy,
    canSkip,
    inputs: new FirstInputs(looks),
    signatures: new Set(),
    expected,
  };
  checkRunning(run);
  return run;
}

export function priorsOf(
  { model, settings }: Run,
  old: Awaited<ReturnType<typeof readStatistics>>,
  reference: EstimateFor['reference'],
) {
  return model.sites.map(
    (_, i): Prior => ({
      samples: settings.prior,
      statistics: old[i]!,
      reference: reference?.[i],
      relative: reference !== undefined,
    }),
  );
}

/** One estimator per site. */
export function makeEstimators({ model, settings }: Run): Estimator[] {
  const made = model.sites.map(() => settings.estimator());
  const sound = made.every(
    (item) => typeof item?.update === 'function' && typeof item.estimate === 'function',
  );
  if (!sound || new Set(made).size < made.length) {
    throw new RecalibrationOptionError(
      'Option estimator: expected a function that makes a new estimator each time it is called, one per layer; ' +
        `got one that returns ${sound ? 'the same one again' : shown(made[0])}. ` +
        'Pass populationVariance, or () => ema({ decay: 0.9 }).',
    );
  }
  return made;
}
