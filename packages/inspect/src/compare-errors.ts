/** The third phase: the held-out batches under each kind of statistics. */
import * as tf from '@tensorflow/tfjs-core';
import type { Collected } from './collect.ts';
import { checkBackend, type DeviceStatistics, outputsUnder, type Subject } from './forward.ts';
import { errorsOf } from './labels.ts';
import type { InspectionOptions } from './options.ts';
import type { ErrorComparison, ErrorRate } from './report.ts';
import { errorOfMean, meanOf } from './summarize.ts';

/** The statistics to compare; what is null is left out. */
export interface Candidates {
  readonly stored: DeviceStatistics;
  readonly precise: DeviceStatistics;
  readonly layerwise: DeviceStatistics | null;
}

/** Milliseconds: below what a user notices as a stall, above what pausing costs. */
const PAUSE_EVERY = 30;

/** @throws the signal's reason, or {BackendChangedError}; nothing is left behind. */
export async function compareErrors(
  subject: Subject,
  heldOut: Collected['heldOut'],
  candidates: Candidates,
  { signal, onProgress }: Pick<InspectionOptions, 'signal' | 'onProgress'>,
): Promise<ErrorComparison> {
  const errors = { stored: [], precise: [], layerwise: [], batch: [] } as Record<
    keyof Candidates | 'batch',
    Float64Array[]
  >;
  let samples = 0;
  let paused = performance.now();
  for (const [index, { batch, labels }] of heldOut.entries()) {
    for (const kind of ['stored', 'precise', 'layerwise', 'batch'] as const) {
      const statistics = kind === 'batch' ? kind : candidates[kind];
      if (statistics === null) continue;
      // On cpu and wasm nothing ever waits: without pauses an abort signal would never be heard.
      if (performance.now() - paused > PAUSE_EVERY) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        paused = performance.now();
      }
      signal?.throwIfAborted();
      checkBackend(subject);
      const output = tf.tidy(() => outputsUnder(subject, batch, statistics));
      try {
        errors[kind].push(errorsOf(await output.data(), output.shape.at(-1)!, labels));
      } finally {
        output.dispose();
      }
    }
    samples += labels.samples;
    onProgress?.({ phase: 'errors', batches: index + 1, expectedBatches: heldOut.length, samples });
  }
  const { stored, precise, layerwise, batch } = errors;
  const has = layerwise.length > 0;
  return {
    samples,
    batches: heldOut.length,
    stored: errorRate(stored),
    precise: errorRate(precise),
    layerwise: has ? errorRate(layerwise) : null,
    batch: errorRate(batch),
    differences: {
      storedMinusPrecise: errorRate(minus(stored, precise)),
      preciseMinusBatch: errorRate(minus(precise, batch)),
      storedMinusLayerwise: has ? errorRate(minus(stored, layerwise)) : null,
      preciseMinusLayerwise: has ? errorRate(minus(precise, layerwise)) : null,
      layerwiseMinusBatch: has ? errorRate(minus(layerwise, batch)) : null,
    },
  };
}

/**
 * The mean over all samples. Its standard error is the larger one of those with samples as independent and with
 * batches as independent (a batch's samples may share statistics, or a source), and at least 1 / samples: no error
 * among n samples leaves up to 3 / n possible (Hanley & Lippman-Hand 1983, "If nothing goes wrong ...").
 */
export function errorRate(batches: readonly Float64Array[]): ErrorRate {
  const all = batches.flatMap((values) => [...values]);
  const error = meanOf(all);
  const bySample = all.length > 1 ? errorOfMean(all) : 1;
  // The ratio estimator for clusters of unequal size (Cochran 1977, Sec. 9A.1).
  const pulls = batches.map((values) => values.reduce((sum, value) => sum + value - error, 0) / all.length);
  const squares = pulls.reduce((sum, pull) => sum + pull * pull, 0);
  const byBatch = batches.length > 1 ? Math.sqrt((squares * batches.length) / (batches.length - 1)) : 0;
  return { error, standardError: Math.max(bySample, byBatch, 1 / all.length) };
}

function minus(a: readonly Float64Array[], b: readonly Float64Array[]): Float64Array[] {
  return a.map((values, i) => values.map((value, j) => value - b[i]![j]!));
}
