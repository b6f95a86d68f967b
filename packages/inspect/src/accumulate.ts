/**
 * The second phase: what small batches do to statistics behind layers that normalized by them (estimation shift,
 * Huang et al. 2022). The same samples are measured in mode 'batch', by the first phase, and layer by layer, here.
 */
import { type BatchMoments, batchNormalize, readMoments } from '@rebatch/core';
import { estimateStatistics, normalizeOptions } from '@rebatch/recalibrate';
import type { Moments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type { Collected } from './collect.ts';
import { join } from './data.ts';
import { runWith, type Subject } from './forward.ts';
import { tensorsIn } from './tensors.ts';

/** The layerwise statistics of a part of the data, per layer. */
export interface Layerwise {
  readonly batches: number;
  readonly samples: number;
  /** `null` for a layer that the model never applies. */
  readonly layers: readonly ({
    /** Of the same samples in mode 'batch', per batch. */
    readonly batch: readonly Moments[];
    /** Layer by layer: all samples together. */
    readonly layerwise: Moments;
  } | null)[];
}

/** The largest input of a layer when all samples run at once, in bytes; a forward holds a few of that size. */
const ACTIVATION_BYTES = 256 * 2 ** 20;
/** Forwards per batch of data that this phase may cost. */
const SHARE = 0.4;

/** Measures layer by layer; null if the data has not two batches for it, or they do not fit the memory. */
export async function accumulate(
  subject: Subject,
  collected: Collected,
  signal: AbortSignal | undefined,
): Promise<Layerwise | null> {
  const { recorders, batches } = collected;
  const shared = recorders.some(({ applications }) => applications > 1);
  const largest = Math.max(
    ...recorders.map(({ population, values }) => 4 * values * (population?.mean.length ?? 0)),
  );
  const applications = recorders.reduce((sum, recorder) => sum + recorder.applications, 0);
  // Mode 'layerwise' runs about half of the network for each application.
  const affordable = shared ? (2 * SHARE * batches) / applications : ACTIVATION_BYTES / largest;
  const used = collected.pooled.slice(0, Math.floor(affordable));
  if (used.length < 2) return null;
  const samples = used.reduce((sum, { samples: own }) => sum + own, 0);
  const measured = shared
    ? await inPasses(
        subject,
        used.map(({ batch }) => batch),
        signal,
      )
    : await atOnce(
        subject,
        used.map(({ batch }) => batch),
      );
  const layers = recorders.map(({ pooled }, i) => {
    const found = measured[i];
    return found ? { batch: pooled.slice(0, used.length), ...found } : null;
  });
  const sound = measured.every((found) => !found || found.layerwise.variance.every(Number.isFinite));
  return sound ? { batches: used.length, samples, layers } : null;
}

type Found = { layerwise: Moments } | undefined;

/**
 * If each layer is applied once, samples that run together as one batch are normalized by the moments of all of
 * them, layer after layer: that is what mode 'layerwise' computes, in a single forward.
 */
async function atOnce(subject: Subject, batches: readonly unknown[]): Promise<Found[]> {
  const kept = new Map<number, BatchMoments>();
  try {
    tf.tidy(() => {
      runWith(subject, join(batches), ({ layer }, x) => {
        const { y, ...moments } = batchNormalize(x, normalizeOptions(subject.layers[layer]!));
        tf.keep(moments.mean);
        tf.keep(moments.variance);
        kept.set(layer, moments);
        return y;
      });
    });
    const read = await readMoments([...kept.values()]);
    const found: Found[] = subject.layers.map(() => undefined);
    [...kept.keys()].forEach((layer, i) => {
      found[layer] = { layerwise: read[i]![0]! };
    });
    return found;
  } finally {
    for (const { mean, variance } of kept.values()) tf.dispose([mean, variance]);
  }
}

async function inPasses(
  { model }: Subject,
  batches: readonly unknown[],
  signal: AbortSignal | undefined,
): Promise<Found[]> {
  const { statistics } = await estimateStatistics(model, batches.map(tensorsIn) as tf.Tensor[][], {
    mode: 'layerwise',
    ...(signal ? { signal } : {}),
  });
  return statistics.map((layerwise) => (layerwise.count > 0 ? { layerwise } : undefined));
}
