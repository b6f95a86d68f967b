// The third phase: the held-out batches under each kind of statistics.
import { breather } from '@rebatch/models/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type { Collected } from './collect.ts';
import { join } from './data.ts';
import { checkBackend, type DeviceStatistics, outputsUnder, type Subject } from './forward.ts';
import { errorsOf } from './labels.ts';
import type { InspectionOptions } from './options.ts';
import { largestInput } from './recorder.ts';
import type { DriftErrors, ErrorComparison, ErrorRate } from './report.ts';
import { runsOf } from './runs.ts';
import { errorOfMean, meanOf } from './summarize.ts';

/** The statistics to compare; what is null is left out. */
export interface Candidates {
  readonly stored: DeviceStatistics;
  readonly precise: DeviceStatistics;
  readonly layerwise: DeviceStatistics | null;
  readonly repaired: DeviceStatistics | null;
}

/** The batches that errors are counted on, and what is known of their sites. */
type Measured = Pick<Collected, 'heldOut' | 'recorders'>;
type Listening = Pick<InspectionOptions, 'signal' | 'onProgress'>;

/** @throws the signal's reason, or {BackendChangedError}; nothing is left behind. */
export async function compareErrors(
  subject: Subject,
  measured: Measured,
  candidates: Candidates,
  listening: Listening,
): Promise<ErrorComparison> {
  const kinds = { ...candidates, batch: 'batch' } as const;
  const { stored, precise, layerwise, batch, repaired } = await errorsUnder(
    subject,
    measured,
    kinds,
    listening,
  );
  const rate = (errors: Errors) => (errors.length > 0 ? errorRate(errors) : null);
  const difference = (a: Errors, b: Errors) => (b.length > 0 && a.length > 0 ? errorRate(minus(a, b)) : null);
  return {
    ...amountOf(measured),
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
  measured: Measured,
  candidates: { readonly stored: DeviceStatistics; readonly matched: DeviceStatistics },
  listening: Listening,
): Promise<DriftErrors> {
  const { stored, matched } = await errorsUnder(subject, measured, candidates, listening);
  return {
    ...amountOf(measured),
    stored: errorRate(stored),
    matched: errorRate(matched),
    storedMinusMatched: errorRate(minus(stored, matched)),
  };
}

/** Per batch: 1 for each output that is wrong, 0 for each that is right. */
type Errors = readonly Float64Array[];

async function errorsUnder<Kind extends string>(
  subject: Subject,
  { heldOut, recorders }: Measured,
  kinds: Readonly<Record<Kind, DeviceStatistics | 'batch' | null>>,
  { signal, onProgress }: Listening,
): Promise<Record<Kind, Errors>> {
  const names = Object.keys(kinds) as Kind[];
  const errors = Object.fromEntries(names.map((kind) => [kind, [] as Float64Array[]])) as Record<
    Kind,
    Float64Array[]
  >;
  let [done, samples] = [0, 0];
  const breathe = breather();
  for (const together of runsOf(subject, heldOut, largestInput(recorders))) {
    for (const kind of names) {
      const statistics = kinds[kind];
      if (statistics === null) continue;
      // By statistics of its own, each batch runs by itself.
      for (const batches of statistics === 'batch' ? together.map((one) => [one]) : [together]) {
        await breathe();
        signal?.throwIfAborted();
        checkBackend(subject);
        errors[kind].push(...(await errorsIn(subject, batches, statistics)));
      }
    }
    for (const { labels } of together) {
      signal?.throwIfAborted();
      done += 1;
      samples += labels.samples;
      onProgress?.({ phase: 'errors', batches: done, expectedBatches: heldOut.length, samples });
    }
  }
  return errors;
}

/** Of each of the batches, which run as one. */
async function errorsIn(
  subject: Subject,
  batches: Measured['heldOut'],
  statistics: DeviceStatistics | 'batch',
): Promise<Float64Array[]> {
  const known = statistics === 'batch' ? batches[0]!.output : undefined;
  const output = tf.tidy(() => {
    if (known !== undefined) return tf.clone(known);
    const inputs = join(batches.map((batch) => batch.inputs));
    return outputsUnder(subject, inputs, statistics);
  });
  try {
    const values = await output.data();
    const units = output.shape.at(-1)!;
    let from = 0;
    return batches.map(({ labels }) => {
      const own = values.subarray(from, from + labels.classes.length * units);
      from += own.length;
      return errorsOf(own, units, labels);
    });
  } finally {
    output.dispose();
  }
}

const amountOf = ({ heldOut }: Measured) => ({
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
