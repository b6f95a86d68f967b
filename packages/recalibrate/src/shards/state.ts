// How far a recalibration from shards has come, as plain JSON: to go on later, or elsewhere.
import {
  EmptyEstimatorError,
  type Estimator,
  type EstimatorState,
  estimatorFromJSON,
} from '@rebatch/estimators';
import {
  type ClusterErrorsJSON,
  clusterErrorsFromJSON,
  MomentsError,
  type MomentsJSON,
  momentsFromJSON,
  momentsToJSON,
  RebatchError,
} from '@rebatch/stats';
import { shown } from '@rebatch/stats/~internal';
import {
  type AccumulatedSite,
  type Collected,
  type SiteAccumulator,
  type Tally,
  tallyOf,
} from '../accumulator.ts';
import { ShardError } from '../errors.ts';
import type { InputReport } from '../inputs.ts';
import type { RecalibrationMode } from '../options.ts';
import type { PassTotals } from '../pass.ts';
import { isInputReport } from './is-input-report.ts';

interface TallyJSON {
  readonly moments: MomentsJSON;
  readonly errors: ClusterErrorsJSON;
}

/** What is known of one site. */
export interface SiteState {
  readonly name: string;
  readonly channels: number;
  readonly epsilon: number;
  readonly estimator: EstimatorState;
  readonly applications: readonly {
    readonly index: number;
    readonly pass: number;
    readonly tally: TallyJSON;
  }[];
  readonly passes: readonly {
    readonly pass: number;
    readonly samples: number;
    /** The only application that the pass has seen, whose tally is its own; null where there were several. */
    readonly only: number | null;
    readonly tally: TallyJSON | null;
  }[];
}

/**
 * How far a recalibration from shards has come: it goes on from here to the same bits as if it had never stopped. Plain
 * JSON, version 1; treat the rest as opaque.
 */
export interface RecalibrationState {
  readonly version: 1;
  readonly mode: RecalibrationMode;
  /** The pass that is under way, from 1; more than `passes` when all are done. */
  readonly pass: number;
  /** How many passes the model takes; null until a shard has said so. */
  readonly passes: number | null;
  /** The position of the batch that this pass takes next. */
  readonly next: number;
  /** How many positions before that had no batch; states of older releases don't say, and 0 is meant. */
  readonly unread?: number;
  /** Applications that a forward of this pass measures; 0 as long as no batch was. */
  readonly applications: number;
  /** Of each pass so far, the one under way included. */
  readonly totals: readonly Readonly<PassTotals>[];
  /** Milliseconds of each of them. */
  readonly times: readonly number[];
  readonly skipped: readonly number[];
  /** Of sites that this pass measures again: the statistics that it began with. */
  readonly held: readonly { readonly site: number; readonly moments: MomentsJSON }[];
  readonly inputs: readonly InputReport[];
  readonly sites: readonly SiteState[];
}

export function siteState({ site, estimator, collected }: SiteAccumulator): SiteState {
  const { name, channels, epsilon } = site;
  const tallied = ({ moments, errors }: Tally): TallyJSON => ({
    moments: momentsToJSON(moments),
    errors: errors.toJSON(),
  });
  return {
    ...{ name, channels, epsilon, estimator: estimator.toJSON() },
    applications: [...collected.applications].map(([index, { pass, tally }]) => ({
      ...{ index, pass, tally: tallied(tally) },
    })),
    passes: [...collected.passes].map(([pass, { samples, only, tally }]) => ({
      ...{ pass, samples, only: only ?? null, tally: only === undefined ? tallied(tally) : null },
    })),
  };
}

const record = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const count = (value: unknown, least = 0): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;
const counts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => count(one));

/**
 * A state that came from a file or another machine, checked as far as it is used without further checks; `readSite` does
 * the rest.
 *
 * @throws {ShardError} unless it is one.
 */
export function checkState(value: unknown): RecalibrationState {
  const fail = (field: string, expected: string, came: unknown): never => {
    throw new ShardError(
      `State of a recalibration: expected ${field} to be ${expected}, got ${shown(came)}. It was changed, or written by ` +
        'another release.',
    );
  };
  if (!record(value)) return fail('the whole', 'an object', value);
  const {
    version,
    mode,
    pass,
    passes,
    next,
    unread = 0,
    applications,
    totals,
    times,
    skipped,
    held,
    inputs,
    sites,
  } = value;
  if (version !== 1) fail('version', '1', version);
  if (mode !== 'batch' && mode !== 'layerwise') fail('mode', '"batch" or "layerwise"', mode);
  if (passes !== null && !count(passes, 1)) fail('passes', 'null or an integer >= 1', passes);
  if (!count(pass, 1) || pass > ((passes as number | null) ?? 0) + 1) fail('pass', 'a pass of these', pass);
  if (!count(next)) fail('next', 'an integer >= 0', next);
  if (!count(unread)) fail('unread', 'an integer >= 0', unread);
  if (!count(applications)) fail('applications', 'an integer >= 0', applications);
  const sound = (one: unknown) => record(one) && count(one.samples) && count(one.batches);
  if (!Array.isArray(totals) || !totals.every(sound)) fail('totals', 'samples and batches of passes', totals);
  const time = (one: unknown) => typeof one === 'number' && one >= 0 && Number.isFinite(one);
  if (!Array.isArray(times) || !times.every(time)) fail('times', 'milliseconds', times);
  for (const [name, list] of Object.entries({ totals, times }) as [string, unknown[]][]) {
    // The pass that would follow the last has none.
    const expected =
      (pass as number) > ((passes as number | null) ?? 1) ? (passes as number) : (pass as number);
    if (list.length !== expected) fail(name, `a list of ${expected}`, list.length);
  }
  if (!counts(skipped)) fail('skipped', 'positions of batches', skipped);
  const taken = positionsTaken(value as unknown as RecalibrationState);
  if (next !== taken) fail('next', `${taken}, after the batches of its totals and those left out`, next);
  const holds = (one: unknown) => record(one) && count(one.site) && isMoments(one.moments);
  if (!Array.isArray(held) || !held.every(holds)) fail('held', 'moments of sites', held);
  if (!Array.isArray(inputs) || !inputs.every(isInputReport))
    fail('inputs', 'what the model was given', inputs);
  if (!Array.isArray(sites) || sites.length === 0) fail('sites', 'a list', sites);
  return value as unknown as RecalibrationState;
}

/** How many positions the pass under way has come through, by what it has taken in and what it has not. */
function positionsTaken({ pass, totals, next, unread = 0, skipped }: RecalibrationState): number {
  // After the last pass there is none.
  if (pass > totals.length) return 0;
  return totals[pass - 1]!.batches + unread + new Set(skipped.filter((index) => index < next)).size;
}

function isMoments(value: unknown): boolean {
  try {
    momentsFromJSON(value);
    return true;
  } catch (error) {
    if (error instanceof MomentsError) return false;
    throw error;
  }
}

/**
 * What an accumulator of a site goes on from.
 *
 * @param expected the site, where it is known; else it is taken from the state.
 * @throws {ShardError} if the state is damaged, or is of another site.
 */
export function readSite(value: unknown, expected?: AccumulatedSite) {
  const { name, channels, epsilon, estimator, applications, passes } = (record(value) ? value : {}) as Record<
    keyof SiteState,
    unknown
  >;
  const fail = (what: string, cause?: unknown): never => {
    throw new ShardError(`State of site ${shown(expected?.name ?? name)}: ${what}.`, { cause });
  };
  const named = typeof name === 'string' && count(channels, 1);
  if (!named || typeof epsilon !== 'number' || !(epsilon >= 0)) {
    return fail(`expected a name, its channels and its epsilon, got ${shown(value)}`);
  }
  const site: AccumulatedSite = { name, channels, epsilon };
  for (const key of ['name', 'channels', 'epsilon'] as const) {
    if (expected && expected[key] !== site[key]) {
      fail(`it is of another model: expected ${key} ${shown(expected[key])}, got ${shown(site[key])}`);
    }
  }
  const list = (items: unknown, what: string) =>
    Array.isArray(items) && items.every(record)
      ? (items as Record<string, unknown>[])
      : fail(`expected a list of ${what}, got ${shown(items)}`);
  const number = (item: unknown, what: string, least: number) =>
    count(item, least) ? item : fail(`expected ${what} to be an integer >= ${least}, got ${shown(item)}`);
  const tallied = (value: unknown) => {
    const { moments: written, errors } = record(value)
      ? value
      : fail(`expected a tally, got ${shown(value)}`);
    const moments = momentsFromJSON(written);
    if (moments.mean.length !== channels) fail(`expected ${channels} channels, got ${moments.mean.length}`);
    if (moments.count === 0) fail('expected a tally of at least one value, got none');
    return tallyOf(moments, clusterErrorsFromJSON(errors));
  };
  try {
    const applied: Collected['applications'] = new Map(
      list(applications, 'applications').map((item) => [
        number(item.index, 'index', 0),
        { pass: number(item.pass, 'pass', 1), tally: tallied(item.tally) },
      ]),
    );
    const passed: Collected['passes'] = new Map(
      list(passes, 'passes').map((item) => {
        const only = item.only === null ? undefined : number(item.only, 'only', 0);
        const tally = only === undefined ? tallied(item.tally) : applied.get(only)?.tally;
        if (tally === undefined) return fail(`expected application ${only} of a pass, got none`);
        return [number(item.pass, 'pass', 1), { samples: number(item.samples, 'samples', 0), only, tally }];
      }),
    );
    const restored = estimatorFromJSON(estimator);
    const total = valuesOf(applied);
    if (valuesOf(passed) !== total) fail(`expected passes of ${total} values, got ${valuesOf(passed)}`);
    const seen = seenBy(restored);
    // It forgets what is older than its window.
    const forgets = restored.kind === 'slidingWindow' && seen > 0 && seen < total;
    if (seen !== total && !forgets) fail(`expected an estimator that has seen ${total} values, got ${seen}`);
    return { site, estimator: restored, collected: { applications: applied, passes: passed } };
  } catch (error) {
    if (error instanceof ShardError || !(error instanceof RebatchError)) throw error;
    return fail(error.message.replace(/\.$/, ''), error);
  }
}

/** How many values per channel tallies are of. */
function valuesOf(tallies: Collected['applications'] | Collected['passes']): number {
  return [...tallies.values()].reduce((sum, { tally }) => sum + tally.moments.count, 0);
}

/** How many values per channel an estimator knows of. */
function seenBy(estimator: Estimator): number {
  try {
    return estimator.estimate().count;
  } catch (error) {
    if (error instanceof EmptyEstimatorError) return 0;
    throw error;
  }
}
