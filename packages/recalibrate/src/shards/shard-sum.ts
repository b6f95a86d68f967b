// What shards add up to, taken in the order of the data: so the sum is the same bits whoever measured them, and when.
import type { Estimator } from '@rebatch/estimators';
import { type Moments, momentsFromJSON, momentsToJSON } from '@rebatch/stats';
import { type AccumulatedSite, type Seen, SiteAccumulator } from '../accumulator.ts';
import { ApplicationsChangedError, ShardError } from '../errors.ts';
import type { InputReport } from '../inputs.ts';
import type { RecalibrationMode } from '../options.ts';
import type { PassTotals } from '../pass.ts';
import type { Prior } from '../prior.ts';
import type { MeasuredBatch, MeasuredShard } from './shard.ts';
import { checkState, type RecalibrationState, readSite, siteState } from './state.ts';

/** The accumulators of a model, and how far each pass has come. */
export class ShardSum {
  readonly mode: RecalibrationMode;
  readonly accumulators: readonly SiteAccumulator[];
  readonly totals: PassTotals[];
  readonly times: number[];
  readonly skipped: Set<number>;
  pass: number;
  passes: number | undefined;
  next: number;
  /** Positions before `next` that had no batch. */
  unread: number;
  inputs: readonly InputReport[];
  #applications: number;
  /** The statistics that the pass under way runs with, by site; undefined until they are asked for. */
  #statistics: readonly (Moments | null)[] | undefined;
  readonly #held: Map<number, Moments>;

  /** @param state checked, as far as `checkState` does it. */
  constructor(
    accumulators: readonly SiteAccumulator[],
    state: Omit<RecalibrationState, 'sites' | 'version'>,
  ) {
    this.mode = state.mode;
    this.accumulators = accumulators;
    this.totals = state.totals.map((one) => ({ ...one }));
    this.times = [...state.times];
    this.skipped = new Set(state.skipped);
    this.pass = state.pass;
    this.passes = state.passes ?? undefined;
    this.next = state.next;
    this.unread = state.unread ?? 0;
    this.inputs = state.inputs;
    this.#applications = state.applications;
    this.#held = new Map(state.held.map(({ site, moments }) => [site, momentsFromJSON(moments)]));
  }

  /**
   * The statistics that the pass under way runs with: of the sites that earlier passes have measured, null for others.
   *
   * @throws {EstimateError} if an estimate is not usable.
   */
  begin(): readonly (Moments | null)[] {
    this.#statistics ??= this.accumulators.map((accumulator, site) => {
      const held = this.#held.get(site);
      if (held) return held;
      const earlier = [...accumulator.applications.values()].some(({ pass }) => pass < this.pass);
      return earlier ? accumulator.estimate() : null;
    });
    return this.#statistics;
  }

  /** Whether all passes have been taken in. */
  get done(): boolean {
    return this.passes !== undefined && this.pass > this.passes;
  }

  /**
   * Adds the shard that comes next.
   *
   * @param each is called after each batch; what follows in the shard is left out if it returns true.
   * @returns whether it did.
   * @throws {ShardError} for a shard that does not, is damaged, or is of another pass or model: nothing is added then.
   *   {ApplicationsChangedError}.
   *   {EstimateError} if an estimator refuses a batch.
   */
  take(shard: MeasuredShard, each?: (batch: MeasuredBatch) => boolean): boolean {
    this.#check(shard);
    if (shard.passes > 0) this.passes ??= shard.passes;
    this.#applications ||= shard.applications;
    if (this.inputs.length === 0) this.inputs = shard.inputs;
    for (const index of shard.skipped) this.skipped.add(index);
    const totals = this.totals.at(-1)!;
    for (const batch of shard.measured) {
      this.#add(batch);
      totals.samples += batch.samples;
      totals.batches += 1;
      this.next = batch.index + 1;
      if (each?.(batch) === true) return true;
    }
    this.next = shard.first + shard.batches;
    this.unread += shard.batches - shard.read;
    return false;
  }

  /** The pass has no more shards. @throws {ShardError} if it had none. */
  endPass(): void {
    if (this.passes === undefined) {
      throw new ShardError(`Expected at least one shard in pass ${this.pass}, got none.`);
    }
    this.#statistics = undefined;
    this.#held.clear();
    this.pass += 1;
    this.next = 0;
    this.unread = 0;
    this.#applications = 0;
    if (this.done) return;
    this.totals.push({ samples: 0, batches: 0 });
    this.times.push(0);
  }

  toJSON(): RecalibrationState {
    const { mode, pass, passes = null, next, unread, totals, times, inputs } = this;
    return {
      ...{ version: 1, mode, pass, passes, next, unread, applications: this.#applications },
      totals: totals.map((one) => ({ ...one })),
      times: [...times],
      skipped: [...this.skipped],
      held: this.#toHold(),
      inputs,
      sites: this.accumulators.map(siteState),
    };
  }

  /** Of sites that were measured before this pass and are again: their estimates have moved since it began. */
  #toHold(): RecalibrationState['held'] {
    return (this.#statistics ?? []).flatMap((moments, site) => {
      const moved = [...this.accumulators[site]!.applications.values()].some(
        ({ pass }) => pass === this.pass,
      );
      return moments !== null && moved ? [{ site, moments: momentsToJSON(moments) }] : [];
    });
  }

  #add({ index, samples, seen }: MeasuredBatch): void {
    const bySite = new Map<number, Seen[]>();
    for (const { site, index: application, moments } of seen) {
      const list = bySite.get(site) ?? [];
      bySite.set(site, [...list, { index: application, moments }]);
    }
    this.accumulators.forEach((accumulator, site) => {
      const own = bySite.get(site);
      if (own) accumulator.add({ index, samples }, this.pass, own);
    });
  }

  #check(shard: MeasuredShard): void {
    const { first, batches, pass, passes, applications, measured } = shard;
    if (pass !== this.pass || first !== this.next || this.done) {
      throw new ShardError(
        `Expected the shard from batch ${this.next} on of pass ${this.pass}, got that from batch ${first} on of pass ` +
          `${pass}. Give shards in the order of the data, each once.`,
      );
    }
    const fail = (expected: string, came: string): never => {
      throw new ShardError(
        `Shard from batch ${first} on, pass ${pass}: it is damaged, or it is of another model or other data: expected ` +
          `${expected}, got ${came}. Measure it again.`,
      );
    };
    if (this.passes !== undefined && passes !== 0 && passes !== this.passes) {
      fail(`${this.passes} passes`, `${passes}`);
    }
    this.#checkPositions(shard, fail);
    for (const batch of measured) this.#checkValues(batch, fail);
    if (applications === 0 || this.#applications === 0 || applications === this.#applications) return;
    throw new ApplicationsChangedError(
      `Batches ${first} to ${first + batches - 1}: their batch normalization layers were applied ${applications} times, ` +
        `those before ${this.#applications} times. Batches must have the same number of time steps, and the same domains.`,
    );
  }

  /** Each position that was read is measured once, in order, or left out: by this shard, or since an earlier pass. */
  #checkPositions({ first, batches, read, measured, skipped }: MeasuredShard, fail: Fail): void {
    if (!(batches >= 1 && read >= 0 && read <= batches)) {
      fail('one batch or more, and as many of them read at most', `${read} of ${batches}`);
    }
    const within = (index: number) => index >= first && index < first + read;
    const stray = skipped.find((index) => !within(index));
    const range = `from ${first} to ${first + read - 1}`;
    if (stray !== undefined) fail(`only batches ${range} to be left out`, `batch ${stray}`);
    const left = new Set([...this.skipped, ...skipped].filter(within));
    const came = measured.map(({ index }) => index);
    const inOrder = came.every(
      (index, i) => within(index) && !left.has(index) && index > (came[i - 1] ?? -1),
    );
    if (inOrder && came.length + left.size === read) return;
    const but = left.size > 0 ? ` but for ${[...left].join(', ')}` : '';
    fail(`each batch ${range}${but} once, in order`, came.join(', ') || 'none');
  }

  /** Each site has seen as many values of a batch as the batch has for it, in its own channels. */
  #checkValues({ index, values, seen }: MeasuredBatch, fail: Fail): void {
    const { accumulators } = this;
    if (values.length !== accumulators.length) {
      fail(`${accumulators.length} sites in batch ${index}`, `${values.length}`);
    }
    const counts = accumulators.map(() => 0);
    for (const { site, moments } of seen) {
      const own =
        accumulators[site]?.site ?? fail(`${accumulators.length} sites in batch ${index}`, `site ${site}`);
      const { length } = moments.mean;
      if (length !== own.channels) {
        fail(`${own.channels} channels of layer '${own.name}' in batch ${index}`, `${length}`);
      }
      counts[site]! += moments.count;
    }
    const other = counts.findIndex((count, site) => count !== values[site]);
    if (other < 0) return;
    const { name } = accumulators[other]!.site;
    fail(`${values[other]} values per channel of layer '${name}' in batch ${index}`, `${counts[other]}`);
  }
}

/** Says what was expected of a shard, and what came. */
type Fail = (expected: string, came: string) => never;

/** The sum of no shards. */
export function emptySum(mode: RecalibrationMode, accumulators: readonly SiteAccumulator[]): ShardSum {
  return new ShardSum(accumulators, {
    ...{ mode, pass: 1, passes: null, next: 0, applications: 0 },
    ...{ totals: [{ samples: 0, batches: 0 }], times: [0], skipped: [], held: [], inputs: [] },
  });
}

/**
 * The sum that a state is of. Takes anything (parsed JSON from a file, say) and trusts none of it.
 *
 * @param sites that it has to be of, in the model's order; those of the state if they are left out.
 * @param prior of each site; none counts unless it is given.
 * @throws {ShardError} if the state is damaged, or is of other sites.
 */
export function sumOf(
  value: unknown,
  sites?: readonly AccumulatedSite[],
  prior: (site: number) => Prior = () => ({ samples: 0, statistics: { mean: [], variance: [] } }),
): ShardSum {
  const state = checkState(value);
  if (sites && sites.length !== state.sites.length) {
    throw new ShardError(
      `State of a recalibration: it is of another model: expected ${sites.length} sites, got ${state.sites.length}.`,
    );
  }
  const accumulators = state.sites.map((one, i) => {
    const { site, estimator, collected } = readSite(one, sites?.[i]);
    return new SiteAccumulator(sites?.[i] ?? site, estimator, prior(i), collected);
  });
  return new ShardSum(accumulators, state);
}

/** @throws {ShardError} if a state is of another estimator or mode than is asked for. */
export function checkSameRun(sum: ShardSum, mode: RecalibrationMode, made: readonly Estimator[]): void {
  const asked = { mode, estimator: made[0]!.kind };
  const came = { mode: sum.mode, estimator: sum.accumulators[0]!.estimator.kind };
  for (const key of ['mode', 'estimator'] as const) {
    if (asked[key] === came[key]) continue;
    throw new ShardError(
      `State of a recalibration: it is of another run: expected ${key} '${asked[key]}', got '${came[key]}'.`,
    );
  }
}
