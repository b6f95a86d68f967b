// A recalibration whose data is measured elsewhere.
import { type AnyModel, modelOf } from '@rebatch/models';
import {
  anything,
  callable,
  checkNames,
  checkOptions,
  integer,
  type OptionRules,
} from '@rebatch/stats/~internal';
import { RecalibrationOptionError } from '../errors.ts';
import type { Estimated } from '../estimate.ts';
import { estimate } from '../estimate.ts';
import type { StatisticsEstimate } from '../finish.ts';
import type { RecalibrationOptions } from '../options.ts';
import { writeEstimate } from '../recalibrate.ts';
import type { RecalibrationReport } from '../report.ts';
import type { MeasurePass, ShardOptions } from './from-shards.ts';

/** The options of a recalibration that matter to who adds shards up; those of `shardMeasurer` are for who measures. */
export interface ShardRecalibrationOptions
  extends Pick<
    RecalibrationOptions,
    'estimator' | 'mode' | 'tolerance' | 'prior' | 'nonFinite' | 'signal' | 'onProgress'
  > {
  /** `'all'` that the shards have (default), or `'auto'`, which ends a pass when the statistics are certain enough. */
  readonly samples?: 'all' | 'auto';
}

const optionNames: readonly (keyof ShardRecalibrationOptions)[] = [
  ...(['estimator', 'mode', 'samples', 'tolerance', 'prior', 'nonFinite', 'signal', 'onProgress'] as const),
];
const shardRules: OptionRules<ShardOptions> = {
  state: anything,
  onState: callable(),
  expectedSamples: integer({ least: 0 }),
};

async function estimateFor(
  who: string,
  model: AnyModel,
  measure: MeasurePass,
  options: ShardRecalibrationOptions,
  shards: ShardOptions,
): Promise<Estimated> {
  checkNames(who, options, optionNames, RecalibrationOptionError);
  checkOptions(who, shards, shardRules, RecalibrationOptionError);
  return estimate(who, modelOf(who, model), undefined, options, { shards: { ...shards, measure } });
}

/**
 * `recalibrate` with shards in the place of data: what `shardMeasurer` gives for them, on whatever threads or machines, and
 * in whatever order they were measured, adds up to the same bits as `recalibrate` on the same batches. The model runs on none
 * of them here; it is written to once, at the end.
 *
 * @param measure see {@link MeasurePass}.
 * @throws (rejects) as `recalibrate`; with what `measure` or `onState` throws; with a {ShardError} if shards do not follow on
 *   each other, or `state` is damaged or of another model, mode or estimator. The model is as it was.
 */
export async function recalibrateFromShards(
  model: AnyModel,
  measure: MeasurePass,
  options: ShardRecalibrationOptions = {},
  shards: ShardOptions = {},
): Promise<RecalibrationReport> {
  const who = 'recalibrateFromShards';
  return writeEstimate(modelOf(who, model), await estimateFor(who, model, measure, options, shards));
}

/** What `recalibrateFromShards` would write, without writing it. Same arguments, same errors. */
export async function estimateFromShards(
  model: AnyModel,
  measure: MeasurePass,
  options: ShardRecalibrationOptions = {},
  shards: ShardOptions = {},
): Promise<StatisticsEstimate> {
  const { statistics, report } = await estimateFor('estimateFromShards', model, measure, options, shards);
  return { statistics, report };
}
