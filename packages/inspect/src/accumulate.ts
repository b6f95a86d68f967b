// The second phase: what small batches do to statistics behind layers that normalized by them (estimation shift,
// Huang et al. 2022). The same samples are measured in mode 'batch', by the first phase, and layer by layer, here.
import { type PreciseMoments, preciseBatchNormalize, readPreciseMoments } from '@rebatch/core/~internal';
import { onlyBatchSize } from '@rebatch/models/~internal';
import { estimateStatistics } from '@rebatch/recalibrate';
import { type Moments, mergeAllMoments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type { Collected } from './collect.ts';
import { join } from './data.ts';
import { runWith, type Subject } from './forward.ts';
import { largestInput } from './recorder.ts';

/** The layerwise statistics of a part of the data, per layer. */
export interface Layerwise {
  readonly batches: number;
  readonly samples: number;
  /** `null` for a layer that the model never applies. */
  readonly layers: readonly (MeasuredTwice | null)[];
}

/** The same samples at one layer, measured in both ways. */
export interface MeasuredTwice {
  /** In mode 'batch', per batch. */
  readonly batch: readonly Moments[];
  /** The same of all batches together. */
  readonly merged: Moments;
  /** Layer by layer: all samples together. */
  readonly layerwise: Moments;
}

/** The largest input of a layer when all samples run at once, in bytes; a forward holds a few of that size. */
const ACTIVATION_BYTES = 256 * 2 ** 20;
/** Forwards per batch of data that this phase may cost. */
const SHARE = 0.4;

/**
 * Measures layer by layer: in passes, where batches cannot run as one or sites are applied several times. Null if the data has
 * not two batches for it, or they do not fit the memory.
 */
export async function accumulate(
  subject: Subject,
  collected: Collected,
  signal: AbortSignal | undefined,
): Promise<Layerwise | null> {
  const { recorders, batches } = collected;
  const { model } = subject;
  const apart = onlyBatchSize(model) !== undefined || recorders.some((one) => one.applications > 1);
  const applications = recorders.reduce((sum, recorder) => sum + recorder.applications, 0);
  // Mode 'layerwise' runs about half of the network for each application.
  const affordable = apart
    ? (2 * SHARE * batches) / applications
    : ACTIVATION_BYTES / largestInput(recorders);
  const used = collected.pooled.slice(0, Math.floor(affordable));
  if (used.length < 2) return null;
  const samples = used.reduce((sum, { samples: own }) => sum + own, 0);
  const measured = apart
    ? await inPasses(
        subject,
        used.map(({ inputs }) => inputs),
        signal,
      )
    : await atOnce(
        subject,
        used.map(({ inputs }) => inputs),
      );
  const layers = recorders.map(({ pooled }, i) => {
    const found = measured[i];
    if (found === undefined) return null;
    const batch = pooled.slice(0, used.length);
    return { batch, merged: mergeAllMoments(batch), ...found };
  });
  const sound = measured.every((found) => !found || found.layerwise.variance.every(Number.isFinite));
  return sound ? { batches: used.length, samples, layers } : null;
}

type Inputs = readonly tf.Tensor[];
type Found = { layerwise: Moments } | undefined;

/**
 * If each layer is applied once, samples that run together as one batch are normalized by the moments of all of
 * them, layer after layer: that is what mode 'layerwise' computes, in a single forward.
 */
async function atOnce(subject: Subject, batches: readonly Inputs[]): Promise<Found[]> {
  const kept = new Map<number, PreciseMoments>();
  try {
    tf.tidy(() => {
      runWith(subject, join(batches), ({ site, x }) => {
        const { y, moments } = preciseBatchNormalize(x, subject.model.sites[site]!.options());
        tf.keep(moments.packed);
        kept.set(site, moments);
        return y;
      });
    });
    const read = await readPreciseMoments([...kept.values()]);
    const found: Found[] = subject.model.sites.map(() => undefined);
    [...kept.keys()].forEach((site, i) => {
      found[site] = { layerwise: read[i]![0]! };
    });
    return found;
  } finally {
    for (const { packed } of kept.values()) packed.dispose();
  }
}

async function inPasses(
  { model }: Subject,
  batches: readonly Inputs[],
  signal: AbortSignal | undefined,
): Promise<Found[]> {
  const { statistics } = await estimateStatistics(model, batches, {
    mode: 'layerwise',
    ...(signal ? { signal } : {}),
  });
  return statistics.map((layerwise) => (layerwise.count > 0 ? { layerwise } : undefined));
}
