// The inspection itself: three phases that share their forwards, then the report.
import { type AnyModel, type ModelStatistics, modelOf, type NormalizedModel } from '@rebatch/models';
import { checkStatistics, onlyBatchSize, readStatistics } from '@rebatch/models/~internal';
import { FoldedStatisticsError } from '@rebatch/recalibrate';
import { warningsOfInputs } from '@rebatch/recalibrate/~internal';
import type { MeanAndVariance } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import { accumulate, type Layerwise } from './accumulate.ts';
import { advise } from './advise.ts';
import { type Collected, collect } from './collect.ts';
import { compareErrors } from './compare-errors.ts';
import type { InspectionData } from './data.ts';
import { inspectDrift, type KnownReference, measureDriftErrors, readReference } from './drift.ts';
import { InspectionOptionError } from './errors.ts';
import { readAffines } from './faults/near-dead.ts';
import { gridsOf, withinHalfStep } from './faults/quantization.ts';
import { checkBackend, onDevice, type Subject } from './forward.ts';
import { inspectSites, type Known, movingAverage } from './layers.ts';
import { checkInspectionOptions, type InspectionOptions } from './options.ts';
import type { Accumulation, ErrorComparison, InspectionReport, LayerInspection } from './report.ts';
import { correctedByPart } from './shift.ts';

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
 * the statistics and then runs three more times: under the stored, the precise and the layerwise statistics. One of six
 * is measured layer by layer. That is about two forwards per batch in all.
 *
 * @throws (rejects) with the signal's reason; {InspectionOptionError}; {LabelsError} for labels that do not fit; and
 *   with the errors of `recalibrate` for a model without batch normalization, data that is empty, does not fit or has
 *   too few batches (two; three with labels), non-finite activations or a switched backend.
 */
export async function inspect(
  inspected: AnyModel,
  data: InspectionData,
  options: InspectionOptions = {},
): Promise<InspectionReport> {
  const started = performance.now();
  checkInspectionOptions(options);
  const subject: Subject = { model: modelOf('inspect', inspected), backend: tf.getBackend() };
  const { model } = subject;
  const { reference, before } = options;
  checkBatchSize(model, options);
  const known = reference && readReference(subject, reference);
  if (!known) checkUnfolded(model);
  if (before) checkStatistics(model, before);
  const collected = await collect(model, data, options, known?.collectFor);
  try {
    options.signal?.throwIfAborted();
    checkBackend(subject);
    const measured = known
      ? await againstReference(subject, collected, known, options)
      : await againstData(subject, collected, options);
    const report = {
      model: model.name,
      backend: subject.backend,
      samples: collected.samples,
      batches: collected.batches,
      batchSize: collected.batchSize,
      inputs: collected.inputs,
      warnings: warningsOfInputs(collected.inputs, model),
      ...measured,
    };
    return { ...report, seconds: (performance.now() - started) / 1000, advice: advise(report) };
  } finally {
    collected.dispose();
  }
}

/** Batches of another size than the only one that a model takes would fail when they run. */
function checkBatchSize(model: NormalizedModel, { batchSize }: InspectionOptions): void {
  const only = onlyBatchSize(model);
  if (only === undefined || batchSize === undefined || batchSize === only) return;
  throw new InspectionOptionError(
    `inspect: expected option batchSize to be ${only}, as model '${model.name}' was built for batches of that size and takes ` +
      `no others, got ${batchSize}.`,
  );
}

/** Of what was folded into weights nothing is known that data could be held against. */
function checkUnfolded({ name, sites }: NormalizedModel): void {
  const site = sites.find(({ folded }) => folded);
  if (site === undefined) return;
  throw new FoldedStatisticsError(
    `inspect: site '${site.name}' of model '${name}': its statistics are folded into its weights, so that they cannot be held ` +
      'against those of data, only what it normalizes against a reference: inspect(model, data, { reference }), with what ' +
      'captureReference(model, inputs) of @rebatch/domains measured on inputs that the model works on.',
  );
}

type Measured = Pick<
  InspectionReport,
  'reference' | 'layers' | 'accumulation' | 'errors' | 'movingAverage' | 'driftErrors'
>;

async function againstData(
  subject: Subject,
  collected: Collected,
  options: InspectionOptions,
): Promise<Measured> {
  const { model } = subject;
  const { signal, onProgress, weightSpecs, before } = options;
  const stored = await readStatistics(model);
  const known: Known = {
    stored,
    affines: await readAffines(model.sites),
    grids: gridsOf(stored, weightSpecs),
  };
  const layerwise = await accumulate(subject, collected, signal);
  if (layerwise) {
    const { batches, samples } = layerwise;
    onProgress?.({ phase: 'accumulation', batches, expectedBatches: batches, samples });
  }
  const errors = await measureErrors(subject, collected, known, layerwise, options);
  signal?.throwIfAborted();
  checkBackend(subject);
  const { recorders } = collected;
  const layers = inspectSites(model, recorders, known, layerwise);
  return {
    reference: null,
    layers,
    accumulation: layerwise ? accumulationOf(layers, layerwise) : null,
    errors,
    movingAverage: movingAverage(model, layers, recorders, stored, before && asArrays(before)),
    driftErrors: null,
  };
}

async function againstReference(
  subject: Subject,
  collected: Collected,
  reference: KnownReference,
  options: InspectionOptions,
): Promise<Measured> {
  const known = {
    stored: await readStatistics(subject.model),
    affines: await readAffines(subject.model.sites),
  };
  const driftErrors = await measureDriftErrors(subject, collected, known.stored, reference, options);
  options.signal?.throwIfAborted();
  checkBackend(subject);
  return {
    reference: { samples: reference.samples },
    layers: inspectDrift(subject, collected, known, reference),
    accumulation: null,
    errors: null,
    movingAverage: null,
    driftErrors,
  };
}

const asArrays = (statistics: ModelStatistics): MeanAndVariance[] =>
  statistics.map(({ mean, variance }) => ({
    mean: Float64Array.from(mean),
    variance: Float64Array.from(variance),
  }));

async function measureErrors(
  subject: Subject,
  collected: Collected,
  { stored, grids }: Known,
  layerwise: Layerwise | null,
  options: InspectionOptions,
): Promise<ErrorComparison | null> {
  const { recorders, heldOut } = collected;
  if (heldOut.length === 0) return null;
  // A site that the model never applies keeps what it has.
  const precise = recorders.map(({ population }, i) => population ?? stored[i]!);
  const corrected = layerwise?.layers.map((found, i) =>
    found ? correctedByPart(precise[i]!, found) : precise[i]!,
  );
  const repaired = grids.some((own) => own)
    ? grids.map((own, i) => (own ? withinHalfStep(stored[i]!, (corrected ?? precise)[i]!, own) : stored[i]!))
    : undefined;
  const candidates = [stored, precise, corrected, repaired];
  const made = onDevice(candidates.flatMap((own) => own ?? []));
  try {
    let at = 0;
    const [onStored, onPrecise, onLayerwise, onRepaired] = candidates.map((own) => {
      if (own === undefined) return null;
      at += own.length;
      return made.slice(at - own.length, at);
    });
    return await compareErrors(
      subject,
      collected,
      { stored: onStored!, precise: onPrecise!, layerwise: onLayerwise!, repaired: onRepaired! },
      options,
    );
  } finally {
    tf.dispose([...made]);
  }
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
