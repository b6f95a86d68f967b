// Passes whose batches are measured elsewhere: on other threads or machines, or later.
import { elementsOf } from '@rebatch/models/~internal';
import { shown } from '@rebatch/stats/~internal';
import { ShardError } from '../errors.ts';
import { checkAmount, checkRunning, type PassTotals, type Run } from '../pass.ts';
import type { MeasuredShard, PassRequest } from './shard.ts';
import type { ShardSum } from './shard-sum.ts';
import type { RecalibrationState } from './state.ts';

/** A pass, and where it begins. */
export interface PassStart extends PassRequest {
  /** The position of the batch to begin with: 0, or where a state has come to. */
  readonly next: number;
  /** How far the sum has come: what a machine needs to go on from it. */
  state(): RecalibrationState;
}

/**
 * Measures the data of one pass from batch `next` on, and gives its shards in the order of the data, each when it is there.
 * Where sums are made elsewhere, too, it gives the state of such a sum, which then takes the place of what there was.
 */
export type MeasurePass = (start: PassStart) => AsyncIterable<MeasuredShard | RecalibrationState>;

/** How shards are taken in. */
export interface ShardOptions {
  /** Where an earlier call came to, as its `onState` was told, also if that was JSON in between. */
  readonly state?: unknown;
  /** Called after every shard; what it is given makes the state when it is called. If it throws, the call ends with that. */
  readonly onState?: (state: () => RecalibrationState) => void;
  /** Samples of one pass, for progress. */
  readonly expectedSamples?: number;
}

/** What a call needs beside its options. */
interface Taking extends Omit<ShardOptions, 'state'> {
  readonly measure: MeasurePass;
  readonly restore: (state: RecalibrationState) => ShardSum;
  /** Whether the pass under way, of so many batches, is good enough to stop. */
  readonly enough: (sum: ShardSum) => boolean;
  /** Is called after each pass with the totals so far. */
  readonly check: (totals: readonly PassTotals[]) => void;
}

/** Runs all passes that are left. @returns the sum of all. */
export async function fromShards(run: Run, start: ShardSum, taking: Taking): Promise<ShardSum> {
  let sum = start;
  while (!sum.done) sum = await onePass(run, sum, taking);
  return sum;
}

async function onePass(run: Run, start: ShardSum, taking: Taking): Promise<ShardSum> {
  const { settings } = run;
  const { pass, next } = start;
  let sum = start;
  const begun = performance.now();
  const before = sum.times.at(-1)!;
  const progress = () => {
    const totals = sum.totals[pass - 1]!;
    const passes = sum.passes ?? 1;
    const expectedSamples = taking.expectedSamples ?? sum.totals[pass - 2]?.samples ?? null;
    settings.onProgress?.({ mode: settings.mode, pass, passes, ...totals, expectedSamples });
  };
  const open = async () => {
    const asked = { pass, next, statistics: sum.begin(), skipped: [...sum.skipped] };
    const shards = taking.measure({ ...asked, state: () => sum.toJSON() });
    if (typeof shards?.[Symbol.asyncIterator] === 'function') return shards[Symbol.asyncIterator]();
    throw new ShardError(
      'What measures a pass: expected an async function* that yields shards, or one that returns another async iterable of ' +
        `them, got one that returns ${shown(shards)}.`,
    );
  };
  const source = { owned: false, repeatable: false, endless: false, open };
  for await (const item of elementsOf(source, settings.signal)) {
    checkRunning(run);
    let stopped = false;
    if (isState(item)) {
      sum = taking.restore(item);
      progress();
      stopped = sum.pass !== pass;
    } else {
      stopped = sum.take(item as MeasuredShard, () => {
        progress();
        return taking.enough(sum);
      });
    }
    sum.times[pass - 1] = before + performance.now() - begun;
    if (stopped) break;
    taking.onState?.(() => sum.toJSON());
  }
  checkRunning(run);
  checkAmount(
    sum,
    { number: pass, passes: sum.passes ?? 1 },
    sum.totals[pass - 1]!,
    Number.POSITIVE_INFINITY,
  );
  taking.check(sum.totals.slice(0, pass));
  if (sum.pass === pass) sum.endPass();
  taking.onState?.(() => sum.toJSON());
  return sum;
}

function isState(item: unknown): item is RecalibrationState {
  return typeof item === 'object' && item !== null && 'sites' in item;
}
