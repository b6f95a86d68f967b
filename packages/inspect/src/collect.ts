// The first phase: one forward over the data with mini-batch statistics, everything recorded that it yields.
import { allOrNone } from '@rebatch/core/~internal';
import { InvalidDataError, type NormalizedModel } from '@rebatch/models';
import { onlyBatchSize } from '@rebatch/models/~internal';
import { type InputReport, InsufficientDataError } from '@rebatch/recalibrate';
import { type BatchObserver, observeBatches } from '@rebatch/recalibrate/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { batchesOf, disposeBatch, type InspectedBatch, type InspectionData } from './data.ts';
import { labelledOutput } from './labelled-output.ts';
import { type Labels, readLabels } from './labels.ts';
import type { InspectionOptions } from './options.ts';
import { type BatchRole, SiteRecorder } from './recorder.ts';
import { chooser } from './roles.ts';
import { type Alike, Sizes } from './sizes.ts';

/** A batch that was kept for a later phase. */
export interface KeptBatch extends Alike {
  readonly inputs: readonly tf.Tensor[];
}

/** A batch that is left out of the statistics. */
export interface HeldOut extends KeptBatch {
  readonly labels: Labels;
  /** The model's output for it, where the first phase normalized it by itself. */
  output?: tf.Tensor;
}

/** What the first phase found. `dispose` it. */
export interface Collected {
  readonly recorders: readonly SiteRecorder[];
  readonly samples: number;
  readonly batches: number;
  /** Samples of a full batch: of those that are most frequent. */
  readonly batchSize: number;
  readonly inputs: readonly InputReport[];
  readonly heldOut: readonly HeldOut[];
  /** Of the full size, and of one shape, in the order of the recorders' `pooled`. */
  readonly pooled: readonly KeptBatch[];
  dispose(): void;
}

/** More would not make the noise's own error smaller than matters, and would have to be remembered. */
const NOISE_BATCHES = 64;
/** What kept inputs may take, in bytes, each of the two kinds; and kept outputs. */
const KEPT_BYTES = 256 * 2 ** 20;
/** Samples that are measured layer by layer: at least eight batches, and as many as cost no memory to speak of. */
const POOLED = { samples: 512, batches: 8 };

/** What makes batches of a single value larger here. */
const SINGLE_VALUE_REMEDY =
  'use larger batches, such as by batchSize: 32, which cuts and joins what comes and leaves out what remains at the end; or ' +
  'leave out a last batch of one sample';

/** The same for a model that takes no larger ones. */
const ONE_BY_ONE_REMEDY =
  'convert the model for batches of any size, or inspect it against a reference, which needs no statistics of batches';

/** How the first phase runs. */
export interface CollectFor {
  /** Normalizes by the stored statistics, and keeps all batches that are not held out, up to the limit. */
  readonly asStored?: boolean;
  /** The signature of all batches, and why no other will do. */
  readonly expected?: { readonly signature: string; readonly because: string };
}

/** Runs the first phase. The caller disposes what it returns. */
export async function collect(
  model: NormalizedModel,
  data: InspectionData,
  options: InspectionOptions,
  { asStored = false, expected }: CollectFor = {},
): Promise<Collected> {
  const { labels = 'auto', batchSize, samples = 'all', tolerance, seed = 0, signal, onProgress } = options;
  const recorders = model.sites.map(() => new SiteRecorder());
  const heldOut: HeldOut[] = [];
  /** Those by their index in the data whose outputs are still to come. */
  const running = new Map<number, HeldOut>();
  const pooled: KeptBatch[] = [];
  const roles: BatchRole[] = [];
  const dispose = () => {
    ended = true;
    for (const { inputs } of [...heldOut, ...pooled]) tf.dispose([...inputs]);
    for (const { output } of heldOut) output?.dispose();
  };
  const choose = chooser(seed);
  const sizes = new Sizes();
  let labeled = false;
  /** An abort does not wait for labels that are on their way from the device. */
  let ended = false;
  let bytes = { heldOut: 0, pooled: 0, outputs: 0 };

  async function* watched() {
    let index = 0;
    for await (const batch of batchesOf(data, model, { batchSize, labels, all: samples === 'all' })) {
      labeled = batch.ys !== undefined;
      try {
        roles.push(await roleOf(batch, index));
      } catch (error) {
        disposeBatch(batch);
        throw error;
      }
      batch.ys?.dispose();
      index += 1;
      yield batch.inputs;
    }
  }

  async function roleOf(batch: InspectedBatch, index: number): Promise<BatchRole> {
    const { inputs, ys, samples: count, signature } = batch;
    const alike = sizes.add(batch);
    const choice = choose(index, labeled);
    const size = inputs.reduce((sum, tensor) => sum + 4 * tensor.size, 0);
    const role = { samples: count, signature, noise: alike !== undefined && alike <= NOISE_BATCHES };
    const keep = ys !== undefined && choice.heldOut && bytes.heldOut + size <= KEPT_BYTES;
    if (keep) {
      const read = await readLabels(ys, labelledOutput(model, batch), count, index);
      if (!ended) {
        const own = { ...kept(batch), labels: read };
        heldOut.push(own);
        running.set(index, own);
      }
      bytes = { ...bytes, heldOut: bytes.heldOut + size };
    }
    const limit = Math.max(POOLED.samples, POOLED.batches * sizes.full);
    const pool =
      (asStored ? !keep : choice.pooled) &&
      sizes.isCommon(batch) &&
      (pooled.filter((one) => sizes.isCommon(one)).length + 1) * count <= limit &&
      bytes.pooled + size <= KEPT_BYTES;
    if (pool && !ended) {
      pooled.push(kept(batch));
      bytes = { ...bytes, pooled: bytes.pooled + size };
    }
    return { ...role, heldOut: keep, pooled: pool };
  }

  /** Under statistics of its own a batch has run already. */
  const outputs = (index: number) => {
    const own = running.get(index);
    if (own === undefined) return undefined;
    running.delete(index);
    return ([output]: readonly tf.Tensor[]) => {
      const size = 4 * output!.size;
      if (bytes.outputs + size > KEPT_BYTES) return;
      bytes = { ...bytes, outputs: bytes.outputs + size };
      own.output = tf.keep(tf.clone(output!));
    };
  };

  const expectedBatches = Array.isArray(data) && batchSize === undefined ? data.length : null;
  const observe: BatchObserver = ({ index }, seen) => {
    recorders.forEach((recorder, site) => {
      recorder.add(
        seen[site]!.map(({ moments }) => moments),
        roles[index]!,
      );
    });
  };
  try {
    const settings = {
      samples,
      ...(tolerance === undefined ? {} : { tolerance }),
      ...(signal ? { signal } : {}),
      onProgress: ({ batches, samples }: { batches: number; samples: number }) =>
        onProgress?.({ phase: 'statistics', batches, expectedBatches, samples }),
    };
    const observed = await observeBatches('inspect', model, watched(), settings, {
      observe,
      outputs,
      asStored,
      canSkip: false,
      singleValueRemedy: onlyBatchSize(model) === 1 ? ONE_BY_ONE_REMEDY : SINGLE_VALUE_REMEDY,
      ...(expected && { expected }),
    });
    checkAmount(observed.batches, heldOut.length, labeled);
    const { full } = sizes;
    for (const recorder of recorders) recorder.settle({ samples: full, signature: sizes.signature! });
    return {
      recorders,
      samples: observed.samples,
      batches: observed.batches,
      batchSize: full,
      inputs: observed.inputs,
      heldOut,
      pooled: pooled.filter((batch) => sizes.isCommon(batch)),
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Its inputs for a later phase; no data is copied. */
function kept({ inputs, samples, signature }: InspectedBatch): KeptBatch {
  return { inputs: allOrNone((add) => inputs.map((tensor) => add(tf.clone(tensor)))), samples, signature };
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
