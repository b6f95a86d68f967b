// Measuring one shard after another, wherever the model and the data are.
import { type AnyModel, modelOf, type NormalizedModel, type RecalibrationData } from '@rebatch/models';
import { openSource, unusable } from '@rebatch/models/~internal';
import { checkNames, shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { batchMeasure } from '../batch-pass.ts';
import { checkStateless, checkUnfolded } from '../checks.ts';
import { InsufficientDataError, RecalibrationOptionError, ShardError } from '../errors.ts';
import { FirstInputs } from '../inputs.ts';
import { Activations } from '../layerwise/activations.ts';
import { type LayerwisePlan, planLayerwise } from '../layerwise/plan.ts';
import { type RecalibrationOptions, readOptions } from '../options.ts';
import { checkRunning, type Pass, type Run, runPass } from '../pass.ts';
import { KeptShards, ReadyStatistics } from './kept-shards.ts';
import type { MeasuredBatch, MeasuredShard, ShardRequest } from './shard.ts';

/** What of the options of a recalibration matters to who measures. */
export type MeasuringOptions = Pick<
  RecalibrationOptions,
  'mode' | 'activationBytes' | 'singleValue' | 'nonFinite' | 'signal'
>;

const OPTIONS: readonly (keyof MeasuringOptions)[] = [
  ...(['mode', 'activationBytes', 'singleValue', 'nonFinite', 'signal'] as const),
];

/** Measures shards with one model. */
export interface ShardMeasurer {
  /**
   * Runs the batches of one shard through the model.
   *
   * @param data the shard's batches alone, as `recalibrate` takes data; in mode `'layerwise'` something that can be read again.
   *   Not read where what is needed of it was kept from the pass before.
   * @throws (rejects) what `recalibrate` throws for such data; {ShardError} for a request that does not fit the model.
   */
  measure(request: ShardRequest, data: RecalibrationData): Promise<MeasuredShard>;
  /** Gives up what is kept on the device. The model stays, and shards can be measured again. */
  dispose(): void;
}

/**
 * Measures shards with one model, in any order, several at a time if need be: the part of a recalibration that takes the
 * time. What it gives depends on the request and the data alone. In mode `'layerwise'` activations are kept between passes,
 * within `activationBytes` for all shards together, so that a pass of a shard that was measured here before computes its own
 * level alone: what is asked of a later pass is of the same data as what the pass before was asked. `dispose` of what is kept
 * before another recalibration that begins with a later pass.
 *
 * @throws {StatefulModelError}, {FoldedStatisticsError}, {RecalibrationOptionError}, and what `modelOf` throws.
 */
export function shardMeasurer(model: AnyModel, options: MeasuringOptions = {}): ShardMeasurer {
  const who = 'shardMeasurer';
  const subject = modelOf(who, model);
  checkNames(who, options, OPTIONS, RecalibrationOptionError);
  const settings = readOptions(who, options);
  checkStateless(subject);
  checkUnfolded(subject);
  return new Measurer({
    model: subject,
    settings,
    backend: tf.getBackend(),
    observe: undefined,
    expected: undefined,
  });
}

/** What stays the same for all shards. */
type Base = Pick<Run, 'model' | 'settings' | 'backend' | 'observe' | 'expected'>;

class Measurer implements ShardMeasurer {
  readonly #base: Base;
  readonly #ready = new ReadyStatistics();
  readonly #kept = new KeptShards();
  #plan: Promise<LayerwisePlan> | undefined;

  constructor(base: Base) {
    this.#base = base;
  }

  async measure(request: ShardRequest, data: RecalibrationData): Promise<MeasuredShard> {
    checkRequest(this.#base.model, request);
    const { first, batches, pass } = request;
    // A part of the data never is all of it in one batch, of which a single forward would do.
    const { batches: _, ...source } = openSource(data);
    const run: Run = {
      ...this.#base,
      source,
      skipped: new Set(request.skipped.filter((index) => index >= first && index < first + batches)),
      inputs: new FirstInputs(),
      signatures: new Set(),
      first,
    };
    checkRunning(run);
    const known = new Set(run.skipped);
    const measured: MeasuredBatch[] = [];
    const places = new Set<string>();
    const absorb: Pass['absorb'] = (batch, at, moments) => {
      const seen = at.map(({ site, index }, i) => ({ site, index, moments: moments[i]! }));
      const values = this.#base.model.sites.map(() => 0);
      for (const { site, moments } of seen) values[site]! += moments.count;
      measured.push({ ...batch, values, seen });
    };
    const collect: Omit<Pass, 'passes' | 'measure'> = {
      ...{ number: pass, expected: null, absorb, enough: () => false },
      forwarded(all) {
        for (const { site, index } of all) places.add(`${site}:${index}`);
      },
    };
    let passes = 1;
    try {
      if (run.settings.mode === 'layerwise') passes = await this.#layerwise(run, request, collect);
      else await runPass(run, { ...collect, passes, measure: batchMeasure(run) });
    } finally {
      await run.inputs.settled();
    }
    const last = [...measured.map(({ index }) => index), ...run.skipped].reduce(
      (a, b) => Math.max(a, b),
      first - 1,
    );
    return {
      ...{ first, batches, pass, passes, read: last + 1 - first, applications: places.size, measured },
      skipped: [...run.skipped].filter((index) => !known.has(index)),
      inputs: await run.inputs.report(),
    };
  }

  dispose(): void {
    this.#ready.dispose();
    this.#kept.dispose();
  }

  /** @returns how many passes there are, 0 if that is not known. */
  async #layerwise(
    run: Run,
    request: ShardRequest,
    collect: Omit<Pass, 'passes' | 'measure'>,
  ): Promise<number> {
    const plan = await this.#planned(run);
    // Nothing of it could be read: it has nothing to say.
    if (plan === undefined) return 0;
    const { first, pass, statistics } = request;
    const { passes } = plan;
    if (pass > passes) {
      throw new ShardError(
        `Shard from batch ${first} on: expected a pass from 1 to ${passes} of model '${run.model.name}', got ${pass}.`,
      );
    }
    const ready = this.#ready.begin(statistics);
    const activations = this.#kept.take(request) ?? new Activations(run, plan, ready.device);
    const budget = Math.max(0, run.settings.activationBytes - this.#kept.bytes);
    try {
      await runPass(run, { ...collect, passes, ...activations.begin(pass, budget, ready.device) });
    } catch (error) {
      activations.dispose();
      throw error;
    } finally {
      this.#ready.end(ready);
    }
    activations.end();
    if (pass === passes) activations.dispose();
    else this.#kept.keep({ activations, request });
    return passes;
  }

  /** From the first sample that comes; the same for all shards. Undefined for a shard without samples as long as there was none. */
  async #planned(run: Run): Promise<LayerwisePlan | undefined> {
    // Another shard, measured at the same time, may have no sample: that says nothing of this one.
    for (let others = this.#plan; others !== undefined; others = this.#plan) {
      const plan = await others.catch(() => undefined);
      if (plan !== undefined) return plan;
      if (this.#plan === others) this.#plan = undefined;
    }
    const own = planLayerwise(run);
    this.#plan = own;
    try {
      return await own;
    } catch (error) {
      if (this.#plan === own) this.#plan = undefined;
      if (error instanceof InsufficientDataError) return undefined;
      throw error;
    }
  }
}

function checkRequest({ name, sites }: NormalizedModel, request: ShardRequest): void {
  const fail = (expected: string, came: unknown): never => {
    throw new ShardError(`Shard of model '${name}': expected ${expected}, got ${shown(came)}.`);
  };
  const count = (value: unknown, least: number) => Number.isSafeInteger(value) && (value as number) >= least;
  if (typeof request !== 'object' || request === null) fail('a request', request);
  const { first, batches, pass, statistics, skipped } = request;
  if (!count(first, 0)) fail('the position of its first batch', first);
  if (!count(batches, 1)) fail('one batch or more', batches);
  if (!count(pass, 1)) fail('a pass from 1 on', pass);
  if (!Array.isArray(skipped)) fail('a list of batches that were left out', skipped);
  if (!Array.isArray(statistics) || statistics.length !== sites.length) {
    fail(`statistics or null for each of ${sites.length} sites`, statistics?.length);
  }
  statistics.forEach((one, i) => {
    const flaw = one && unusable(one.mean, one.variance, sites[i]!.channels, sites[i]!.epsilon);
    if (flaw) fail(`usable statistics of site '${sites[i]!.name}'`, flaw);
  });
}
