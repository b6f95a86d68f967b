// One pass whose batches are collected, site by site.
import type { readStatistics } from '@rebatch/models/~internal';
import type { Seen, SiteAccumulator } from './accumulator.ts';
import { batchMeasure } from './batch-pass.ts';
import type { InputReport } from './inputs.ts';
import type { Settings } from './options.ts';
import { type Pass, type PassTotals, type Run, runPass } from './pass.ts';
import { storedMeasure } from './stored-pass.ts';

/** Fewer batches say too little about their own spread for `'auto'` to trust it. */
const AUTO_BATCHES = 8;

/** Along with what the body found, what the inputs were; holds nothing any more when it throws. */
export async function withInputs<T>(
  { inputs }: Run,
  body: () => Promise<T>,
): Promise<[T, readonly InputReport[]]> {
  try {
    return [await body(), await inputs.report()];
  } finally {
    await inputs.settled();
  }
}

/**
 * The only pass of a run.
 *
 * @param stored the statistics that sites have, to normalize by; undefined to normalize by batch.
 */
export function runOnlyPass(
  run: Run,
  accumulators: readonly SiteAccumulator[],
  stored: Awaited<ReturnType<typeof readStatistics>> | undefined,
): Promise<PassTotals> {
  const { samples } = run.settings;
  const about = { number: 1, passes: 1, expected: typeof samples === 'number' ? samples : null };
  const measure = stored === undefined ? batchMeasure(run) : storedMeasure(run, stored);
  return runPass(run, { ...makePass(run, accumulators, about), measure });
}

/** @param accumulators one per site; none where an observer alone collects. */
export function makePass(
  run: Run,
  accumulators: readonly SiteAccumulator[],
  about: Pick<Pass, 'number' | 'passes' | 'expected'>,
): Omit<Pass, 'measure'> {
  const met = new Set<SiteAccumulator>();
  return {
    ...about,
    absorb(batch, measured, moments) {
      const seen = run.model.sites.map((): Seen[] => []);
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
export function isEnough(
  { samples, tolerance }: Settings,
  batches: number,
  measured: readonly SiteAccumulator[],
): boolean {
  if (samples !== 'auto' || batches < AUTO_BATCHES) return false;
  return measured.every((accumulator) => accumulator.relativeError() <= tolerance);
}
