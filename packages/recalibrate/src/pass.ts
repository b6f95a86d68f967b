/** One pass over the data: forwards, one packed read per batch, and the host's share of the work in between. */
import { readMoments } from '@rebatch/core';
import type { BatchNormLayer } from '@rebatch/layers';
import type { Moments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { breather } from './breathe.ts';
import { elementsOf, type Source } from './data.ts';
import { BackendChangedError, InsufficientDataError, NonFiniteActivationError } from './errors.ts';
import { disposeMeasured, type Measured } from './forward.ts';
import { type Batch, firstSamples, readBatch } from './inputs.ts';
import type { Settings } from './options.ts';

/** What stays the same over all passes. */
export interface Run {
  readonly model: tfl.LayersModel;
  readonly layers: readonly BatchNormLayer[];
  readonly source: Source;
  readonly settings: Settings;
  readonly backend: string;
  /** Indices of batches that are left out for being non-finite. Later passes leave out what earlier ones did. */
  readonly skipped: Set<number>;
}

/** What one pass does with each batch. */
export interface Pass {
  readonly number: number;
  readonly passes: number;
  /** Samples that this pass is expected to take, for progress. */
  readonly expected: number | null;
  /** Runs the model on a batch; synchronous. */
  measure(inputs: () => readonly tf.Tensor[], batch: Batch, index: number): Measured[];
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
  const exact = settings.mode === 'layerwise';
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
    const moments = groups.flat();
    const measured = forwarded.flatMap((call, i) => groups[i]!.map(() => call));
    underway -= samples;
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

  let next = 0;
  try {
    for await (const element of elementsOf(source, settings.signal)) {
      const index = next++;
      try {
        checkRunning(run);
        if (skipped.has(index)) continue;
        const batch = readBatch(element, model, `Batch ${index}`);
        if (exact && totals.samples + underway + batch.samples > limit) await pending;
        const room = limit - totals.samples - underway;
        const samples = exact ? Math.min(batch.samples, room) : batch.samples;
        const measured = pass.measure(() => firstSamples(batch, samples), batch, index);
        const read = readMoments(measured.map(({ moments }) => moments));
        disposeMeasured(measured);
        const previous = pending;
        underway += samples;
        pending = Promise.all([read, previous]).then(() => settle(index, samples, measured, read));
        pending.catch(() => {});
        await previous;
      } finally {
        if (source.owned) tf.dispose(element as tf.TensorContainer);
      }
      if (totals.samples + underway >= limit) await pending;
      if (totals.samples >= limit || pass.enough(totals.batches)) break;
      await breathe();
    }
    await pending;
  } finally {
    await Promise.allSettled([pending]);
  }
  checkRunning(run);
  checkAmount(run, pass, totals, limit);
  return totals;
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

/** Whether all moments are finite; if not, throws or leaves the batch out, as the caller wants it. */
function usable(
  { layers, settings, skipped }: Run,
  index: number,
  measured: readonly Measured[],
  moments: readonly Moments[],
): boolean {
  const bad = moments.findIndex(
    ({ mean, variance }) => !mean.every(Number.isFinite) || !variance.every(Number.isFinite),
  );
  if (bad < 0) return true;
  skipped.add(index);
  if (settings.nonFinite === 'skip') return false;
  const { layer, index: application } = measured[bad]!;
  const { mean, variance } = moments[bad]!;
  const channel = mean.findIndex((value, c) => !Number.isFinite(value) || !Number.isFinite(variance[c]));
  throw new NonFiniteActivationError(
    `Layer '${layers[layer]!.name}'${application > 0 ? ` (application ${application})` : ''}, batch ${index}: ` +
      `expected finite activations, got NaN, Infinity or values too large for float32 in channel ${channel}. ` +
      "Look for NaN in the data and in the weights, or leave such batches out with nonFinite: 'skip'.",
  );
}

function checkAmount({ skipped }: Run, pass: Pass, { samples }: PassTotals, limit: number): void {
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
