// New population statistics of a model, computed and not written.
import type { NormalizedModel, RecalibrationData } from '@rebatch/models';
import { readStatistics } from '@rebatch/models/~internal';
import { SiteAccumulator } from './accumulator.ts';
import { checkSameData } from './checks.ts';
import { finish, type StatisticsEstimate } from './finish.ts';
import { layerwise } from './layerwise/layerwise.ts';
import { isEnough, makePass, runOnlyPass, withInputs } from './one-pass.ts';
import type { RecalibrationOptions } from './options.ts';
import type { Pass, PassTotals, Run } from './pass.ts';
import { fromShards } from './shards/from-shards.ts';
import { checkSameRun, emptySum, type ShardSum, sumOf } from './shards/shard-sum.ts';
import { type EstimateFor, makeEstimators, priorsOf, startRun } from './start-run.ts';

/** An estimate, and what it was computed with. */
export interface Estimated extends StatisticsEstimate {
  readonly run: Run;
  readonly accumulators: readonly SiteAccumulator[];
}

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
  how: EstimateFor = {},
): Promise<Estimated> {
  const started = performance.now();
  const run = startRun(who, model, data, options, how);
  const { settings } = run;
  const { reference, asStored = false, shards } = how;
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
  const [totals, inputs] = await withInputs(run, async () =>
    settings.mode === 'batch' || asStored
      ? [await timed(() => runOnlyPass(run, accumulators, asStored ? old : undefined))]
      : await layerwise(run, accumulators, makeOne, timed, (all) => checkSameData(run, all)),
  );
  return { ...finish({ run, old, started, accumulators, totals, times, inputs }), run, accumulators };
}
