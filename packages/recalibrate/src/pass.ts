// One pass over the data: forwards, one packed read per batch, and the host's share of the work in between.
import { readPreciseMoments } from '@rebatch/core/~internal';
import {
  BackendChangedError,
  type Batch,
  InputShapeError,
  type NormalizedModel,
  readBatch,
} from '@rebatch/models';
import { breather, elementsOf, firstSamples, onlyBatchSize, type Source } from '@rebatch/models/~internal';
import type { Moments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type { Seen } from './accumulator.ts';
import { InsufficientDataError, NonFiniteActivationError } from './errors.ts';
import { disposeMeasured, type Measured, type TakeOutputs } from './forward.ts';
import type { FirstInputs } from './inputs.ts';
import type { Settings } from './options.ts';
import { singleValueError } from './single-value.ts';

/** Called with each batch that counts, and what each site saw of it, by the site's position; empty for one not applied. */
export type BatchObserver = (
  batch: { readonly index: number; readonly samples: number },
  seen: readonly (readonly Seen[])[],
) => void;

/** What stays the same over all passes. */
export interface Run {
  readonly model: NormalizedModel;
  readonly source: Source;
  readonly settings: Settings;
  readonly backend: string;
  /** Indices of batches that are left out for being non-finite. Later passes leave out what earlier ones did. */
  readonly skipped: Set<number>;
  readonly observe: BatchObserver | undefined;
  /**
   * Asked for each batch, by its index, who is to be given its outputs; undefined for nobody, and the run ends with the last
   * site. Only in mode `'batch'`, and only where each site normalizes the batch as a whole.
   */
  readonly outputs?: ((index: number) => TakeOutputs | undefined) | undefined;
  readonly inputs: FirstInputs;
  /** The shapes of samples that were met, as signatures of batches. */
  readonly signatures: Set<string>;
  /** The only one that is expected, with the reason; undefined for any. */
  readonly expected: { readonly signature: string; readonly because: string } | undefined;
  /** What its caller can do about a batch of a single value; undefined where that is what `recalibrate` can. */
  readonly singleValueRemedy?: string | undefined;
  /** Whether its caller can leave out batches that are not finite, as `recalibrate` can. Default true. */
  readonly canSkip?: boolean | undefined;
  /** The position in all of the data of the first batch that the source has, where it has a part of the data. Default 0. */
  readonly first?: number;
}

/** A batch that need not be read again. */
export interface KeptBatch {
  readonly index: number;
  readonly samples: number;
  measure(): Measured[];
}

/** What one pass does with each batch. */
export interface Pass {
  readonly number: number;
  readonly passes: number;
  /** Samples that this pass is expected to take, for progress. */
  readonly expected: number | null;
  /** Runs the model on a batch; synchronous. */
  measure(
    inputs: () => readonly tf.Tensor[],
    batch: Batch,
    at: { readonly index: number; readonly samples: number },
  ): Measured[];
  /** Batches of which enough is kept to go on without reading them again; else they come from the source. */
  readonly kept?: readonly KeptBatch[] | undefined;
  /** Is told what each forward measured, before any of it is left out. */
  forwarded?(measured: readonly Measured[]): void;
  /** Takes in one batch's moments, in the order of `measured`. */
  absorb(
    batch: { readonly index: number; readonly samples: number },
    measured: readonly Measured[],
    moments: readonly Moments[],
  ): void;
  /** Whether the statistics are good enough to stop. */
  enough(batches: number): boolean;
}

/** Samples and batches that a pass took in. */
export interface PassTotals {
  samples: number;
  batches: number;
}

/** @throws whatever stops the pass; no tensor is left behind. */
export async function runPass(run: Run, pass: Pass): Promise<PassTotals> {
  const { settings, source, model, skipped } = run;
  const limit = typeof settings.samples === 'number' ? settings.samples : Number.POSITIVE_INFINITY;
  // A graph that was built for batches of one size takes no part of one.
  const exact = settings.mode === 'layerwise' && onlyBatchSize(model) === undefined;
  const breathe = breather();
  const totals: PassTotals = { samples: 0, batches: 0 };
  // The batch whose moments are on their way from the device while the next one runs.
  let pending: Promise<void> = Promise.resolve();
  let underway = 0;

  const settle = async (
    index: number,
    samples: number,
    forwarded: readonly Measured[],
    read: Promise<Moments[][]>,
  ) => {
    const groups = await read;
    underway -= samples;
    const measured: Measured[] = [];
    const moments: Moments[] = [];
    forwarded.forEach((one, i) => {
      for (const own of groups[i]!) {
        // Where all steps are masked, there is nothing to take in.
        if (own.count === 0) continue;
        measured.push(one);
        moments.push(own);
      }
    });
    checkCounts(run, index, measured, moments);
    if (!usable(run, index, measured, moments)) return;
    pass.absorb({ index, samples }, measured, moments);
    totals.samples += samples;
    totals.batches += 1;
    settings.onProgress?.({
      mode: settings.mode,
      pass: pass.number,
      passes: pass.passes,
      ...totals,
      expectedSamples: pass.expected,
    });
  };

  const take = async (index: number, samples: number, measured: readonly Measured[]) => {
    pass.forwarded?.(measured);
    const read = readPreciseMoments(measured.map(({ moments }) => moments));
    disposeMeasured(measured);
    const previous = pending;
    underway += samples;
    pending = Promise.all([read, previous]).then(() => settle(index, samples, measured, read));
    pending.catch(() => {});
    await previous;
  };

  const fromSource = async () => {
    let next = run.first ?? 0;
    for await (const element of elementsOf(source, settings.signal)) {
      const index = next++;
      try {
        checkRunning(run);
        if (skipped.has(index)) continue;
        const batch = readBatch(element, model, `Batch ${index}`);
        checkSignature(run, batch, index);
        run.inputs.look(batch, model);
        if (exact && totals.samples + underway + batch.samples > limit) await pending;
        const room = limit - totals.samples - underway;
        const samples = exact ? Math.min(batch.samples, room) : batch.samples;
        const inputs = () => firstSamples(batch, samples);
        await take(index, samples, pass.measure(inputs, batch, { index, samples }));
      } finally {
        if (source.owned) tf.dispose(element as tf.TensorContainer);
      }
      if (totals.samples + underway >= limit) await pending;
      if (totals.samples >= limit || pass.enough(totals.batches)) break;
      await breathe();
    }
  };

  const fromKept = async (batches: readonly KeptBatch[]) => {
    for (const { index, samples, measure } of batches) {
      checkRunning(run);
      if (skipped.has(index)) continue;
      await take(index, samples, measure());
      await breathe();
    }
  };

  try {
    await (pass.kept ? fromKept(pass.kept) : fromSource());
    await pending;
  } finally {
    await Promise.allSettled([pending]);
  }
  checkRunning(run);
  checkAmount(run, pass, totals, limit);
  return totals;
}

function checkSignature({ signatures, expected }: Run, { signature }: Batch, index: number): void {
  signatures.add(signature);
  if (expected === undefined || expected.signature === signature) return;
  throw new InputShapeError(
    `Batch ${index}: expected samples of shape ${expected.signature}, ${expected.because}, got ${signature}. ` +
      'Bring them to the same size first.',
  );
}

/** @throws the signal's reason, or {BackendChangedError}. */
export function checkRunning({ settings, backend }: Run): void {
  settings.signal?.throwIfAborted();
  if (tf.getBackend() === backend) return;
  throw new BackendChangedError(
    `The backend was switched from '${backend}' to '${tf.getBackend()}' while statistics were being computed; one ` +
      'set of statistics must come from one backend. Switch before or after.',
  );
}

/** @throws {NormalizationBatchError} for moments of fewer values than normalizing takes, of which only the device knew. */
function checkCounts(
  { model, singleValueRemedy }: Run,
  index: number,
  measured: readonly Measured[],
  moments: readonly Moments[],
): void {
  const single = moments.findIndex(({ count }, i) => count < (measured[i]!.least ?? 1));
  if (single < 0) return;
  const { name } = model.sites[measured[single]!.site]!;
  throw singleValueError(name, index, 'all other steps are masked', singleValueRemedy);
}

/** Whether all moments are finite; if not, throws or leaves the batch out, as the caller wants it. */
function usable(
  { model, settings, skipped, canSkip = true }: Run,
  index: number,
  measured: readonly Measured[],
  moments: readonly Moments[],
): boolean {
  const bad = moments.findIndex((own) => nonFiniteChannel(own) >= 0);
  if (bad < 0) return true;
  skipped.add(index);
  if (settings.nonFinite === 'skip') return false;
  const { site, index: application } = measured[bad]!;
  const channel = nonFiniteChannel(moments[bad]!);
  throw new NonFiniteActivationError(
    `Layer '${model.sites[site]!.name}'${application > 0 ? ` (application ${application})` : ''}, batch ${index}: ` +
      `expected finite activations, got NaN, Infinity or values too large for float32 in channel ${channel}. ` +
      `Look for NaN in the data and in the weights${canSkip ? ", or leave such batches out with nonFinite: 'skip'" : ''}.`,
  );
}

/** The first channel that is not finite, or -1. */
function nonFiniteChannel({ mean, variance }: Moments): number {
  for (let c = 0; c < mean.length; c++) {
    if (!Number.isFinite(mean[c]!) || !Number.isFinite(variance[c]!)) return c;
  }
  return -1;
}

/** @throws {InsufficientDataError} for no samples, or fewer than asked. */
export function checkAmount(
  { skipped, first }: Pick<Run, 'skipped' | 'first'>,
  pass: Pick<Pass, 'number' | 'passes'>,
  { samples }: PassTotals,
  limit: number,
): void {
  // Of a part of the data all may be left out.
  if (first !== undefined) return;
  const left = skipped.size > 0 ? ` (${skipped.size} batches with non-finite activations were left out)` : '';
  const where = pass.passes > 1 ? ` in pass ${pass.number} of ${pass.passes}` : '';
  if (samples === 0) {
    throw new InsufficientDataError(`Expected at least one batch of data${where}, got none${left}.`);
  }
  if (limit < Number.POSITIVE_INFINITY && samples < limit) {
    throw new InsufficientDataError(
      `Expected ${limit} samples${where}, but the data ended after ${samples}${left}. ` +
        "Ask for fewer, bring more data, or use samples: 'all'.",
    );
  }
}
