// What was measured becomes statistics and a report.
import type { readStatistics } from '@rebatch/models/~internal';
import type { Moments } from '@rebatch/stats';
import type { SiteAccumulator } from './accumulator.ts';
import { type InputReport, warningsOfInputs } from './inputs.ts';
import type { PassTotals, Run } from './pass.ts';
import { type RecalibrationReport, reportLayer } from './report.ts';
import { warningsOfAmount } from './warnings.ts';

/** What `estimateStatistics` returns. */
export interface StatisticsEstimate {
  /**
   * The estimate of each layer, blended with the prior, in the model's order, for `applyStatistics`. `count` is the
   * values that were measured. A layer that the model never applies keeps its statistics, with count 0.
   */
  readonly statistics: readonly (Moments & { readonly name: string })[];
  readonly report: RecalibrationReport;
}

/** What has been measured, in numbers. */
export interface Measurements {
  readonly run: Run;
  readonly old: Awaited<ReturnType<typeof readStatistics>>;
  /** When the call began. */
  readonly started: number;
  readonly accumulators: readonly SiteAccumulator[];
  readonly totals: readonly PassTotals[];
  /** Milliseconds of each pass. */
  readonly times: readonly number[];
  readonly inputs: readonly InputReport[];
}

/** Estimates and report. @throws {EstimateError} if an estimate is not usable. */
export function finish({
  run,
  old,
  started,
  accumulators,
  totals,
  times,
  inputs,
}: Measurements): StatisticsEstimate {
  const { model, settings } = run;
  const estimates = accumulators.map((item) => (item.applications.size > 0 ? item.estimate() : undefined));
  const longest = totals.reduce((a, b) => (b.samples > a.samples ? b : a));
  const layers = accumulators.map((item, i) => reportLayer(item, old[i]!, estimates[i], times));
  const { mode, prior } = settings;
  const amount = { mode, prior, samples: longest.samples, batches: longest.batches };
  const report: RecalibrationReport = {
    ...amount,
    estimator: accumulators[0]!.estimator.kind,
    passes: totals.length,
    skipped: run.skipped.size,
    milliseconds: performance.now() - started,
    tolerance: settings.samples === 'auto' ? reportTolerance(accumulators, settings.tolerance) : null,
    inputs,
    warnings: [...warningsOfAmount(layers, amount), ...warningsOfInputs(inputs, model)],
    layers,
  };
  const statistics = model.sites.map(({ name }, i) => ({
    name,
    ...(estimates[i] ?? { ...old[i]!, count: 0 }),
  }));
  return { statistics, report };
}

function reportTolerance(accumulators: readonly SiteAccumulator[], asked: number) {
  const used = accumulators.filter(({ applications }) => applications.size > 0);
  const worst = Math.max(...used.map((accumulator) => accumulator.relativeError()));
  return { asked, worst: Number.isFinite(worst) ? worst : null, met: worst <= asked };
}
