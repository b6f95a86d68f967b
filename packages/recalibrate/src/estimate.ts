// New population statistics of a model, computed and not written.
import type { Estimator } from '@rebatch/estimators';
import type { NormalizedModel, RecalibrationData } from '@rebatch/models';
import { openSource, readStatistics, type Source } from '@rebatch/models/~internal';
import type { Moments } from '@rebatch/stats';
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { type Seen, SiteAccumulator } from './accumulator.ts';
import { batchMeasure } from './batch-pass.ts';
import { checkSameData, checkSource, checkStateless, checkUnfolded } from './checks.ts';
import { RecalibrationOptionError } from './errors.ts';
import { finish, type StatisticsEstimate } from './finish.ts';
import { FirstInputs } from './inputs.ts';
import { layerwise } from './layerwise/layerwise.ts';
import { type RecalibrationOptions, readOptions, type Settings } from './options.ts';
import { type BatchObserver, checkRunning, type Pass, type PassTotals, type Run, runPass } from './pass.ts';
import type { Prior } from './prior.ts';
import { fromShards, type MeasurePass, type ShardOptions } from './shards/from-shards.ts';
import { checkSameRun, emptySum, type ShardSum, sumOf } from './shards/shard-sum.ts';
import { storedMeasure } from './stored-pass.ts';

/** Fewer batches say too little about their own spread for `'auto'` to trust it. */
const AUTO_BATCHES = 8;

/** An estimate, and what it was computed with. */
export interface Estimated extends StatisticsEstimate {
  readonly run: Run;
  readonly accumulators: readonly SiteAccumulator[];
}

/** What siblings may ask of an estimate beyond its options. */
export interface EstimateFor {
  /** Told of every batch that counts, before its progress is. */
  readonly observe?: BatchObserver;
  /**
   * Moments of the model's sites on inputs that it is known to work on, one per site (undefined for one that they did not
   * reach): the new statistics are then relative to these, see `matchMoments` of `@rebatch/stats`.
   */
  readonly reference?: readonly (Moments | undefined)[];
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

/**
 * See `estimateStatistics`.
 *
 * @param who whose call it is, for messages.
 */
export async function estimate(
  who: string,
  model: NormalizedModel,
  data: RecalibrationData | undefined,
  options: RecalibrationOptions,
  { observe, reference, expected, asStored = false, looks = true, shards }: EstimateFor = {},
): Promise<Estimated> {
  const started = performance.now();
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
    inputs: new FirstInputs(looks),
    signatures: new Set(),
    expected,
  };
  checkRunning(run);
  const old = await readStatistics(model);
  const priors = priorsOf(run, old, reference);
  const made = makeEstimators(run);
  const fresh = made.map((estimator, i) => new SiteAccumulator(model.sites[i]!, estimator, priors[i]!));
  if (shards) {
    const restore = (state: unknown) => {
      const sum = sumOf(state, model.sites, (site) => priors[site]!);
      checkSameRun(sum, settings.mode, made);
      return sum;
    };
    const start = shards.state === undefined ? emptySum(settings.mode, fresh) : restore(shards.state);
    const enough = (sum: ShardSum) => {
      const measured = sum.accumulators.filter(({ collected }) => collected.passes.has(sum.pass));
      return isEnough(settings, sum.totals.at(-1)!.batches, measured);
    };
    const check = (all: readonly PassTotals[]) => checkSameData(run, all);
    const sum = await fromShards(run, start, { ...shards, restore, enough, check });
    for (const index of sum.skipped) run.skipped.add(index);
    const { accumulators, totals, times, inputs } = sum;
    return { ...finish({ run, old, started, accumulators, totals, times, inputs }), run, accumulators };
  }
  const accumulators = fresh;
  const times: number[] = [];
  const makeOne = (about: Pick<Pass, 'number' | 'passes' | 'expected'>) => makePass(run, accumulators, about);
  const timed = async <T>(body: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await body();
    times.push(performance.now() - start);
    return result;
  };
  const measure = () => (asStored ? storedMeasure(run, old) : batchMeasure(run));
  let totals: PassTotals[];
  try {
    totals =
      settings.mode === 'batch' || asStored
        ? [await timed(() => runPass(run, { ...makeOne(onlyPass(settings)), measure: measure() }))]
        : await layerwise(run, accumulators, makeOne, timed, (all) => checkSameData(run, all));
  } finally {
    await run.inputs.settled();
  }
  const inputs = await run.inputs.report();
  return { ...finish({ run, old, started, accumulators, totals, times, inputs }), run, accumulators };
}

function makePass(
  run: Run,
  accumulators: readonly SiteAccumulator[],
  about: Pick<Pass, 'number' | 'passes' | 'expected'>,
): Omit<Pass, 'measure'> {
  const met = new Set<SiteAccumulator>();
  return {
    ...about,
    absorb(batch, measured, moments) {
      const seen = accumulators.map((): Seen[] => []);
      measured.forEach(({ site, index }, i) => {
        seen[site]!.push({ index, moments: moments[i]! });
      });
      accumulators.forEach((accumulator, site) => {
        if (seen[site]!.length === 0) return;
        accumulator.add(batch, about.number, seen[site]!);
        met.add(accumulator);
      });
      run.observe?.(batch, seen);
    },
    enough(batches) {
      return isEnough(run.settings, batches, [...met]);
    },
  };
}

/** Whether a pass has seen so many batches that 'auto' needs no more. */
function isEnough(
  { samples, tolerance }: Settings,
  batches: number,
  measured: readonly SiteAccumulator[],
): boolean {
  if (samples !== 'auto' || batches < AUTO_BATCHES) return false;
  return measured.every((accumulator) => accumulator.relativeError() <= tolerance);
}

function priorsOf(
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
function makeEstimators({ model, settings }: Run): Estimator[] {
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

/** Of mode 'batch'. */
function onlyPass({ samples }: Settings): Pick<Pass, 'number' | 'passes' | 'expected'> {
  return { number: 1, passes: 1, expected: typeof samples === 'number' ? samples : null };
}
