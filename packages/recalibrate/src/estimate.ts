/** New population statistics of a model, computed and not written. */
import { populationVariance } from '@rebatch/estimators';
import type { Moments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { LayerAccumulator } from './accumulator.ts';
import { batchMeasure } from './batch-pass.ts';
import { findBatchNormLayers } from './bn-layers.ts';
import { openSource, type RecalibrationData, type Source } from './data.ts';
import {
  InsufficientDataError,
  InvalidDataError,
  RecalibrationOptionError,
  StatefulModelError,
} from './errors.ts';
import { DeviceStatistics, layerwiseMeasure, planLayerwise } from './layerwise-pass.ts';
import { type RecalibrationOptions, readOptions, type Settings } from './options.ts';
import { checkRunning, type Pass, type PassTotals, type Run, runPass } from './pass.ts';
import { type RecalibrationReport, reportLayer } from './report.ts';
import { type LayerStatistics, readStatistics } from './statistics.ts';

/** Fewer batches say too little about their own spread for `'auto'` to trust it. */
const AUTO_BATCHES = 8;

/** What `estimateStatistics` returns. */
export interface StatisticsEstimate {
  /**
   * The estimate of each layer, blended with the prior, in the model's order, for `applyStatistics`. `count` is the
   * values that were measured. A layer that the model never applies keeps its statistics, with count 0.
   */
  readonly statistics: readonly (Moments & { readonly name: string })[];
  readonly report: RecalibrationReport;
}

/** An estimate, and what it was computed with. */
export interface Estimated extends StatisticsEstimate {
  readonly run: Run;
  readonly accumulators: readonly LayerAccumulator[];
}

/** See `estimateStatistics`. */
export async function estimate(
  model: tfl.LayersModel,
  data: RecalibrationData,
  options: RecalibrationOptions,
): Promise<Estimated> {
  const started = performance.now();
  const settings = readOptions(options);
  const layers = findBatchNormLayers(model);
  checkStateless(model);
  const source = openSource(data);
  checkSource(source, settings);
  const run: Run = { model, layers, source, settings, backend: tf.getBackend(), skipped: new Set() };
  checkRunning(run);
  const old = await readStatistics(layers);
  const accumulators = makeAccumulators(run, old);

  const times: number[] = [];
  const totals = await (settings.mode === 'batch' ? batch : layerwise)(run, accumulators, times);
  const estimates = accumulators.map((item) => (item.applications.size > 0 ? item.estimate() : undefined));
  const longest = totals.reduce((a, b) => (b.samples > a.samples ? b : a));
  const report: RecalibrationReport = {
    mode: settings.mode,
    estimator: accumulators[0]!.estimator.kind,
    prior: settings.prior,
    samples: longest.samples,
    batches: longest.batches,
    passes: totals.length,
    skipped: run.skipped.size,
    milliseconds: performance.now() - started,
    tolerance: settings.samples === 'auto' ? reportTolerance(accumulators, settings.tolerance) : null,
    layers: accumulators.map((item, i) => reportLayer(item, old[i]!, estimates[i], times)),
  };
  const statistics = layers.map(({ name }, i) => ({ name, ...(estimates[i] ?? { ...old[i]!, count: 0 }) }));
  return { statistics, report, run, accumulators };
}

async function batch(run: Run, accumulators: readonly LayerAccumulator[], times: number[]) {
  const pass = makePass(run, accumulators, { number: 1, passes: 1, expected: expectedSamples(run.settings) });
  return [await timed(times, () => runPass(run, { ...pass, measure: batchMeasure(run) }))];
}

async function layerwise(run: Run, accumulators: readonly LayerAccumulator[], times: number[]) {
  const { passes, ...rest } = await planLayerwise(run);
  const plan = { passes, ...rest };
  const ready = new DeviceStatistics();
  const totals: PassTotals[] = [];
  try {
    for (let number = 1; number <= passes; number++) {
      const expected =
        run.settings.samples === 'all' ? (totals[0]?.samples ?? null) : expectedSamples(run.settings);
      const pass = makePass(run, accumulators, { number, passes, expected });
      const measure = layerwiseMeasure(run, plan, number, ready);
      totals.push(await timed(times, () => runPass(run, { ...pass, measure })));
      checkSameData(run, totals);
      accumulators.forEach((item, layer) => {
        const fresh = [...item.applications.values()].some((application) => application.pass === number);
        if (fresh && number < passes) ready.set(layer, item.estimate());
      });
    }
  } finally {
    ready.dispose();
  }
  return totals;
}

function makePass(
  run: Run,
  accumulators: readonly LayerAccumulator[],
  about: Pick<Pass, 'number' | 'passes' | 'expected'>,
): Omit<Pass, 'measure'> {
  const { samples, tolerance } = run.settings;
  const met = new Set<LayerAccumulator>();
  return {
    ...about,
    absorb(batch, measured, moments) {
      accumulators.forEach((accumulator, layer) => {
        const seen = measured.flatMap((call, i) =>
          call.layer === layer ? [{ index: call.index, moments: moments[i]! }] : [],
        );
        if (seen.length === 0) return;
        accumulator.add(batch, about.number, seen);
        met.add(accumulator);
      });
    },
    enough(batches) {
      if (samples !== 'auto' || batches < AUTO_BATCHES) return false;
      return [...met].every((accumulator) => accumulator.relativeError() <= tolerance);
    },
  };
}

function makeAccumulators({ layers, settings }: Run, old: readonly LayerStatistics[]): LayerAccumulator[] {
  const made = layers.map(() => settings.estimator());
  const sound = made.every(
    (item) => typeof item?.update === 'function' && typeof item.estimate === 'function',
  );
  if (!sound || new Set(made).size < made.length) {
    throw new RecalibrationOptionError(
      'Option estimator: expected a function that makes a new estimator each time it is called, one per layer; ' +
        `got one that returns ${sound ? 'the same one again' : String(made[0])}. ` +
        `Pass ${populationVariance.name}, or () => ema({ decay: 0.9 }).`,
    );
  }
  return made.map((estimator, i) => {
    const prior = { samples: settings.prior, statistics: old[i]! };
    return new LayerAccumulator(layers[i]!, estimator, prior);
  });
}

/** Forwards would change the state, and batches would be measured in the state that those before them left. */
function checkStateless(model: tfl.LayersModel): void {
  const layer = model.layers.find(({ stateful }) => stateful);
  if (layer === undefined) return;
  throw new StatefulModelError(
    `Layer '${layer.name}' of model '${model.name}' is stateful: recalibration would change its state, and the ` +
      'statistics would depend on the order of the batches. Recalibrate the same model built with stateful: false ' +
      'and move the statistics with captureStatistics and applyStatistics.',
  );
}

function checkSource(source: Source, { mode, samples }: Settings): void {
  if (mode === 'layerwise' && !source.repeatable) {
    throw new InvalidDataError(
      "Mode 'layerwise' reads the data once per pass, but a generator or iterator can be read only once. " +
        "Pass an array, a tf.data.Dataset, or an object whose [Symbol.iterator] starts anew; or use mode 'batch'.",
    );
  }
  if (samples === 'all' && source.endless) {
    throw new InvalidDataError(
      "The dataset repeats for ever, so samples: 'all' would never end. Say how many samples, or 'auto'.",
    );
  }
}

/** Data that shrinks or grows between passes is not one population. */
function checkSameData({ settings }: Run, totals: readonly PassTotals[]): void {
  const [first, last] = [totals[0]!, totals.at(-1)!];
  if (settings.samples !== 'all' || settings.nonFinite === 'skip' || first.samples === last.samples) return;
  throw new InsufficientDataError(
    `Expected pass ${totals.length} to read the same data as pass 1, ${first.samples} samples, got ${last.samples}. ` +
      'Data for several passes must start anew each time.',
  );
}

function expectedSamples({ samples }: Settings): number | null {
  return typeof samples === 'number' ? samples : null;
}

function reportTolerance(accumulators: readonly LayerAccumulator[], asked: number) {
  const used = accumulators.filter(({ applications }) => applications.size > 0);
  const worst = Math.max(...used.map((accumulator) => accumulator.relativeError()));
  return { asked, worst: Number.isFinite(worst) ? worst : null, met: worst <= asked };
}

async function timed<T>(times: number[], body: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await body();
  times.push(performance.now() - start);
  return result;
}
