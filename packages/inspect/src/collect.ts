/** The first phase: one forward over the data with mini-batch statistics, everything recorded that it yields. */
import {
  estimateStatistics,
  InsufficientDataError,
  InvalidDataError,
  type RecalibrationProgress,
} from '@rebatch/recalibrate';
import type * as tfl from '@tensorflow/tfjs-layers';
import { batchesOf, type InspectionData } from './data.ts';
import { LabelsError } from './errors.ts';
import { type Labels, readLabels } from './labels.ts';
import type { InspectionOptions } from './options.ts';
import { type BatchRole, LayerRecorder } from './recorder.ts';
import { chooser } from './roles.ts';
import { bytesIn, cloned, disposeBatch, samplesIn } from './tensors.ts';

/** A batch that was kept for a later phase. */
export interface KeptBatch {
  readonly batch: unknown;
  readonly samples: number;
}

/** What the first phase found. `dispose` it. */
export interface Collected {
  readonly recorders: readonly LayerRecorder[];
  readonly samples: number;
  readonly batches: number;
  /** Samples of a full batch: of those that are most frequent. */
  readonly batchSize: number;
  readonly heldOut: readonly (KeptBatch & { readonly labels: Labels })[];
  /** Of the full size, in the order of the recorders' `pooled`. */
  readonly pooled: readonly KeptBatch[];
  dispose(): void;
}

/** More would not make the noise's own error smaller than matters, and would have to be remembered. */
const NOISE_BATCHES = 64;
/** Of how many sizes batches are remembered for their noise; the size that most have is known only at the end. */
const NOISE_SIZES = 8;
/** What kept inputs may take, in bytes; each of the two kinds. */
const KEPT_BYTES = 256 * 2 ** 20;
/** Samples that are measured layer by layer: at least eight batches, and as many as cost no memory to speak of. */
const POOLED = { samples: 512, batches: 8 };

/** Runs the first phase. The caller disposes what it returns. */
export async function collect(
  model: tfl.LayersModel,
  data: InspectionData,
  options: InspectionOptions,
): Promise<Collected> {
  const { labels = 'auto', batchSize, samples = 'all', tolerance, seed = 0, signal, onProgress } = options;
  const recorders: LayerRecorder[] = [];
  const heldOut: (KeptBatch & { labels: Labels })[] = [];
  const pooled: KeptBatch[] = [];
  const roles: BatchRole[] = [];
  const dispose = () => {
    for (const { batch } of [...heldOut, ...pooled]) disposeBatch(batch);
  };
  const choose = chooser(seed);
  let labeled = labels === true;
  /** The most frequent size so far; among equally frequent ones, that which was first as frequent. */
  let full = 0;
  const frequency = new Map<number, number>();
  let bytes = { heldOut: 0, pooled: 0 };

  async function* watched() {
    let index = 0;
    for await (const batch of batchesOf(data, { batchSize, all: samples === 'all' })) {
      try {
        const ys = labelsIn(batch, model);
        if (index === 0 && labels === 'auto') labeled = ys !== undefined;
        if (labeled && ys === undefined) {
          throw new LabelsError(
            `Batch ${index}: expected {xs, ys}${index > 0 ? ', as batch 0 was' : ''}, got no ys. ` +
              'Give all batches labels, or inspect without errors: labels: false.',
          );
        }
        roles.push(await roleOf(batch, labeled ? ys : undefined, index));
      } catch (error) {
        disposeBatch(batch);
        throw error;
      }
      index += 1;
      yield batch as never;
    }
  }

  async function roleOf(batch: unknown, ys: unknown, index: number): Promise<BatchRole> {
    const xs = inputsIn(batch, model);
    const count = samplesIn(xs);
    const choice = choose(index, labeled);
    // recalibrate is about to say what is wrong with it.
    if (count === undefined) return { heldOut: false, pooled: false, noise: false, samples: 0 };
    const alike = (frequency.get(count) ?? 0) + 1;
    const known = frequency.has(count) || frequency.size < NOISE_SIZES;
    if (known) frequency.set(count, alike);
    if (known && alike > (frequency.get(full) ?? 0)) full = count;
    const size = bytesIn(xs);
    const noise = known && alike <= NOISE_BATCHES;
    const keep = choice.heldOut && bytes.heldOut + size <= KEPT_BYTES;
    if (keep) {
      const read = await readLabels(ys, model, count, index);
      heldOut.push({ batch: cloned(xs), samples: count, labels: read });
      bytes = { ...bytes, heldOut: bytes.heldOut + size };
    }
    const limit = Math.max(POOLED.samples, POOLED.batches * full);
    const pool =
      choice.pooled &&
      count === full &&
      (pooled.filter(({ samples: own }) => own === full).length + 1) * full <= limit &&
      bytes.pooled + size <= KEPT_BYTES &&
      model.inputs.every(({ shape }) => shape[0] === null);
    if (pool) {
      pooled.push({ batch: cloned(xs), samples: count });
      bytes = { ...bytes, pooled: bytes.pooled + size };
    }
    return { heldOut: keep, pooled: pool, noise, samples: count };
  }

  const progressed = (progress: RecalibrationProgress) => {
    const role = roles[progress.batches - 1]!;
    for (const recorder of recorders) recorder.endBatch(role);
    onProgress?.({
      phase: 'statistics',
      batches: progress.batches,
      expectedBatches: Array.isArray(data) && batchSize === undefined ? data.length : null,
      samples: progress.samples,
    });
  };
  try {
    const { report } = await estimateStatistics(model, watched(), {
      estimator: () => {
        const recorder = new LayerRecorder();
        recorders.push(recorder);
        return recorder;
      },
      samples,
      ...(tolerance === undefined ? {} : { tolerance }),
      ...(signal ? { signal } : {}),
      onProgress: progressed,
    });
    checkAmount(report.batches, heldOut.length, labeled);
    for (const recorder of recorders) recorder.settle(full);
    return {
      recorders,
      samples: report.samples,
      batches: report.batches,
      batchSize: full,
      heldOut,
      pooled: pooled.filter(({ samples: own }) => own === full),
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Noise is how batches differ: there must be two of them, and with labels a third to hold out. */
function checkAmount(batches: number, heldOut: number, labeled: boolean): void {
  const needed = labeled ? 3 : 2;
  if (batches >= needed && (!labeled || heldOut > 0)) return;
  if (batches >= needed) {
    throw new InvalidDataError(
      `Expected batches whose inputs take less than ${KEPT_BYTES / 2 ** 20} MiB each, to hold one out. ` +
        'Use smaller batches, or inspect without errors: labels: false.',
    );
  }
  throw new InsufficientDataError(
    `Expected at least ${needed} batches${labeled ? ' (one of them is held out to measure errors)' : ''}, ` +
      `got ${batches}. Bring more data, or cut it into smaller batches with batchSize.`,
  );
}

const namesOf = (model: tfl.LayersModel) => model.inputs.map(({ sourceLayer }) => sourceLayer.name);

const isPair = (batch: unknown, model: tfl.LayersModel): batch is { xs: unknown; ys?: unknown } =>
  typeof batch === 'object' && batch !== null && 'xs' in batch && !namesOf(model).includes('xs');

function labelsIn(batch: unknown, model: tfl.LayersModel): unknown {
  return isPair(batch, model) ? batch.ys : undefined;
}

/** The model's inputs in its order, as recalibrate understands batches; anything else as it is. */
function inputsIn(batch: unknown, model: tfl.LayersModel): unknown {
  if (isPair(batch, model)) return inputsIn(batch.xs, model);
  if (Array.isArray(batch) || samplesIn(batch) === undefined || typeof batch !== 'object') return batch;
  const keyed = batch as Record<string, unknown>;
  const names = namesOf(model);
  return names.every((name) => name in keyed) ? names.map((name) => keyed[name]) : batch;
}
