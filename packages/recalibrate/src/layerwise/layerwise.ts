// Mode 'layerwise': pass after pass, each over the data or over what is kept of it.
import type { Seen, SiteAccumulator } from '../accumulator.ts';
import { type Pass, type PassTotals, type Run, runPass } from '../pass.ts';
import { Activations } from './activations.ts';
import { DeviceStatistics, measureAtOnce } from './measure.ts';
import { isAlone, planLayerwise } from './plan.ts';

/** What a pass needs beside its `measure`. */
export type MakePass = (about: Pick<Pass, 'number' | 'passes' | 'expected'>) => Omit<Pass, 'measure'>;

/**
 * Runs all passes.
 *
 * @param check is called after each pass with the totals so far.
 * @returns the totals of each.
 */
export async function layerwise(
  run: Run,
  accumulators: readonly SiteAccumulator[],
  makePass: MakePass,
  timed: <T>(body: () => Promise<T>) => Promise<T>,
  check: (totals: readonly PassTotals[]) => void,
): Promise<PassTotals[]> {
  const { settings, model } = run;
  // What is known to take one forward needs no other one to find that out.
  const plan = isAlone(run) && model.appliedOnce ? undefined : await planLayerwise(run);
  const samples = typeof settings.samples === 'number' ? settings.samples : null;
  if (plan === undefined || plan.atOnce) {
    const { absorb: _, ...pass } = makePass({ number: 1, passes: 1, expected: samples });
    const measure = measureAtOnce(run, accumulators, plan?.passOf.size ?? model.sites.length);
    const absorb: Pass['absorb'] = (batch, measured, moments) => {
      const seen = accumulators.map((): Seen[] => []);
      measured.forEach(({ site, index }, i) => {
        seen[site]!.push({ index, moments: moments[i]! });
      });
      run.observe?.(batch, seen);
    };
    return [await timed(() => runPass(run, { ...pass, measure, absorb }))];
  }
  const ready = new DeviceStatistics();
  const activations = new Activations(run, plan, ready);
  // Each pass of 'auto' stops on its own, so that it may need batches that the one before has not met.
  const budget = settings.samples === 'auto' ? 0 : settings.activationBytes;
  const totals: PassTotals[] = [];
  try {
    for (let number = 1; number <= plan.passes; number++) {
      const expected = settings.samples === 'all' ? (totals[0]?.samples ?? null) : samples;
      const pass = makePass({ number, passes: plan.passes, expected });
      totals.push(await timed(() => runPass(run, { ...pass, ...activations.begin(number, budget) })));
      check(totals);
      activations.end();
      accumulators.forEach((item, site) => {
        const fresh = [...item.applications.values()].some((application) => application.pass === number);
        if (fresh && number < plan.passes) ready.set(site, item.estimate());
      });
    }
  } finally {
    ready.dispose();
    activations.dispose();
  }
  return totals;
}
