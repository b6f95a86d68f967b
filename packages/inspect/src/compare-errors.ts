// The third phase: the held-out batches under each kind of statistics.
import { breather } from '@rebatch/models/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type { Collected } from './collect.ts';
import { checkBackend, type DeviceStatistics, outputsUnder, type Subject } from './forward.ts';
import { errorsOf } from './labels.ts';
import type { InspectionOptions } from './options.ts';
import type { DriftErrors, ErrorComparison, ErrorRate } from './report.ts';
import { errorOfMean, meanOf } from './summarize.ts';

/** The statistics to compare; what is null is left out. */
export interface Candidates {
  readonly stored: DeviceStatistics;
  readonly precise: DeviceStatistics;
  readonly layerwise: DeviceStatistics | null;
  readonly repaired: DeviceStatistics | null;
}

type Listening = Pick<InspectionOptions, 'signal' | 'onProgress'>;

/** @throws the signal's reason, or {BackendChangedError}; nothing is left behind. */
export async function compareErrors(
  subject: Subject,
  heldOut: Collected['heldOut'],
  candidates: Candidates,
  listening: Listening,
): Promise<ErrorComparison> {
  const kinds = { ...candidates, batch: 'batch' } as const;
  const { stored, precise, layerwise, batch, repaired } = await errorsUnder(
    subject,
    heldOut,
    kinds,
    listening,
  );
  const rate = (errors: Errors) => (errors.length > 0 ? errorRate(errors) : null);
  const difference = (a: Errors, b: Errors) => (b.length > 0 && a.length > 0 ? errorRate(minus(a, b)) : null);
  return {
    ...amountOf(heldOut),
    stored: errorRate(stored),
    precise: errorRate(precise),
    layerwise: rate(layerwise),
    batch: errorRate(batch),
    repaired: rate(repaired),
    differences: {
      storedMinusPrecise: errorRate(minus(stored, precise)),
      preciseMinusBatch: errorRate(minus(precise, batch)),
      storedMinusLayerwise: difference(stored, layerwise),
      preciseMinusLayerwise: difference(precise, layerwise),
      layerwiseMinusBatch: difference(layerwise, batch),
      storedMinusRepaired: difference(stored, repaired),
    },
  };
}

/** As the model is, and as it would be with other statistics. @throws as `compareErrors` */
export async function compareMatched(
  subject: Subject,
  heldOut: Collected['heldOut'],
  candidates: { readonly stored: DeviceStatistics; readonly matched: DeviceStatistics },
  listening: Listening,
): Promise<DriftErrors> {
  const { stored, matched } = await errorsUnder(subject, heldOut, candidates, listening);
  return {
    ...amountOf(heldOut),
    stored: errorRate(stored),
    matched: errorRate(matched),
    storedMinusMatched: errorRate(minus(stored, matched)),
  };
}

/** Per batch: 1 for each output that is wrong, 0 for each that is right. */
type Errors = readonly Float64Array[];

async function errorsUnder<Kind extends string>(
  subject: Subject,
  heldOut: Collected['heldOut'],
  kinds: Readonly<Record<Kind, DeviceStatistics | 'batch' | null>>,
  { signal, onProgress }: Listening,
): Promise<Record<Kind, Errors>> {
  const names = Object.keys(kinds) as Kind[];
  const errors = Object.fromEntries(names.map((kind) => [kind, [] as Float64Array[]])) as Record<
    Kind,
    Float64Array[]
  >;
  let samples = 0;
  const breathe = breather();
  for (const [index, { inputs, labels }] of heldOut.entries()) {
    for (const kind of names) {
      const statistics = kinds[kind];
      if (statistics === null) continue;
      await breathe();
      signal?.throwIfAborted();
      checkBackend(subject);
      const output = tf.tidy(() => outputsUnder(subject, inputs, statistics));
      try {
        errors[kind].push(errorsOf(await output.data(), output.shape.at(-1)!, labels));
      } finally {
        output.dispose();
      }
    }
    samples += labels.samples;
    onProgress?.({ phase: 'errors', batches: index + 1, expectedBatches: heldOut.length, samples });
  }
  return errors;
}

const amountOf = (heldOut: Collected['heldOut']) => ({
  samples: heldOut.reduce((sum, { labels }) => sum + labels.samples, 0),
  batches: heldOut.length,
});

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

function minus(a: Errors, b: Errors): Float64Array[] {
  return a.map((values, i) => values.map((value, j) => value - b[i]![j]!));
}
