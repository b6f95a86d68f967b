/** The inspection itself: three phases that share their forwards, then the report. */
import { batchNormLayers } from '@rebatch/layers';
import { captureStatistics } from '@rebatch/recalibrate';
import type { Moments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { accumulate, type Layerwise } from './accumulate.ts';
import { advise } from './advise.ts';
import { type Collected, collect } from './collect.ts';
import { compareErrors } from './compare-errors.ts';
import type { InspectionData } from './data.ts';
import { checkBackend, onDevice, type Subject, storedOnDevice } from './forward.ts';
import { batchNoise } from './noise.ts';
import { checkOptions, type InspectionOptions } from './options.ts';
import type { Accumulation, ErrorComparison, InspectionReport, LayerInspection } from './report.ts';
import { correctedByPart, estimationShift, type Floor, layerwiseShift, storedShift } from './shift.ts';

/**
 * What is wrong with the batches of a model: how far its stored statistics are from those of the data, how noisy
 * mini-batch statistics are at this batch size, what they add up to with depth, and with labels what each kind of
 * statistics costs in errors (Wu & Johnson 2021, Sec. 3 and 4). Ends in advice that follows from the numbers.
 *
 * Give it data as in training, in batches of training's normalization batch size, and shuffled as there. Of fewer than
 * five batches, no shift or noise is certain, and advice comes from errors or broken statistics alone. The model
 * runs as at inference (dropout off), and is never written to.
 *
 * All batches run once, normalized by themselves. With `ys` (one-hot or integers), one batch of six is left out of
 * the statistics and then runs four more times: under the stored, the precise, the layerwise and its own statistics. One
 * of six is measured layer by layer. That is about two forwards per batch in all.
 *
 * @throws (rejects) with the signal's reason; {InspectionOptionError}; {LabelsError} for labels that do not fit; and
 *   with the errors of `recalibrate` for a model without batch normalization, data that is empty, does not fit or has
 *   too few batches (two; three with labels), non-finite activations or a switched backend.
 */
export async function inspect(
  model: tfl.LayersModel,
  data: InspectionData,
  options: InspectionOptions = {},
): Promise<InspectionReport> {
  const started = performance.now();
  checkOptions(options);
  const { signal, onProgress } = options;
  const backend = tf.getBackend();
  const stored = await captureStatistics(model);
  const layers = batchNormLayers(model).filter(({ movingMean }) => movingMean !== undefined);
  const subject: Subject = { model, layers, backend };
  const collected = await collect(model, data, options);
  try {
    signal?.throwIfAborted();
    checkBackend(subject);
    const layerwise = await accumulate(subject, collected, signal);
    if (layerwise) {
      const { batches, samples } = layerwise;
      onProgress?.({ phase: 'accumulation', batches, expectedBatches: batches, samples });
    }
    const errors = await measureErrors(subject, collected, stored, layerwise, options);
    signal?.throwIfAborted();
    checkBackend(subject);
    const inspected = inspectLayers(subject, collected, stored, layerwise);
    const report = {
      model: model.name,
      backend: subject.backend,
      samples: collected.samples,
      batches: collected.batches,
      batchSize: collected.batchSize,
      layers: inspected,
      accumulation: layerwise ? accumulationOf(inspected, layerwise) : null,
      errors,
    };
    return { ...report, seconds: (performance.now() - started) / 1000, advice: advise(report) };
  } finally {
    collected.dispose();
  }
}

type Statistics = Awaited<ReturnType<typeof captureStatistics>>;

async function measureErrors(
  subject: Subject,
  { recorders, heldOut }: Collected,
  stored: Statistics,
  layerwise: Layerwise | null,
  options: InspectionOptions,
): Promise<ErrorComparison | null> {
  if (heldOut.length === 0) return null;
  // A layer that the model never applies keeps what it has.
  const precise = recorders.map(({ population }, i) => population ?? asMoments(stored[i]!));
  const corrected = layerwise?.layers.map((found, i) =>
    found ? correctedByPart(precise[i]!, found.batch, found.layerwise) : precise[i]!,
  );
  const made = { precise: onDevice(precise), layerwise: corrected ? onDevice(corrected) : null };
  try {
    const candidates = { stored: storedOnDevice(subject.layers), ...made };
    return await compareErrors(subject, heldOut, candidates, options);
  } finally {
    for (const { mean, variance } of [...made.precise, ...(made.layerwise ?? [])])
      tf.dispose([mean, variance]);
  }
}

function inspectLayers(
  { layers }: Subject,
  { recorders }: Collected,
  stored: Statistics,
  layerwise: Layerwise | null,
): LayerInspection[] {
  let cumulativeKL = 0;
  return layers.map(({ name, epsilon }, depth) => {
    const { population, errors, noise, values, applications } = recorders[depth]!;
    const floor: Floor = epsilon > 0 ? { epsilon } : {};
    const shift = population
      ? storedShift(asMoments(stored[depth]!), population, errors, floor, cumulativeKL)
      : null;
    cumulativeKL = shift?.cumulativeKL ?? cumulativeKL;
    const found = layerwise?.layers[depth];
    const added = found ? estimationShift(found.batch, found.layerwise, floor) : null;
    const exact = population && found ? correctedByPart(population, found.batch, found.layerwise) : null;
    return {
      name,
      depth,
      channels: stored[depth]!.mean.length,
      valuesPerBatch: values,
      applications,
      shift,
      noise: noise.length > 1 ? batchNoise(noise, floor) : null,
      estimationShift: added,
      layerwiseShift:
        exact && added && shift
          ? layerwiseShift(asMoments(stored[depth]!), exact, [shift, added], floor)
          : null,
    };
  });
}

function accumulationOf(layers: readonly LayerInspection[], { samples, batches }: Layerwise): Accumulation {
  const known = layers.flatMap(({ depth, estimationShift: shift }) => (shift ? [{ depth, shift }] : []));
  const center = known.reduce((sum, { depth }) => sum + depth, 0) / known.length;
  const spread = known.reduce((sum, { depth }) => sum + (depth - center) ** 2, 0);
  const slope = (of: 'mean' | 'variance') =>
    spread > 0
      ? known.reduce((sum, { depth, shift }) => sum + (depth - center) * shift[of].rms, 0) / spread
      : 0;
  return { samples, batches, perLayer: { mean: slope('mean'), variance: slope('variance') } };
}

function asMoments({ mean, variance }: Statistics[number]): Moments {
  return { count: 1, mean: Float64Array.from(mean), variance: Float64Array.from(variance) };
}
