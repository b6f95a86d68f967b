// Adapts a graph whose statistics were folded into its weights, relative to images that it works on.

import { adapt, captureReference, type Reference, type ReferenceSite } from '@rebatch/domains';
import { applyStatistics, captureStatistics, type ModelStatistics } from '@rebatch/recalibrate';
import { momentsFromJSON } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';
import type { Run } from '../../../lab/task.ts';
import { batchesOf, type ImageSet, inputsOf } from '../images/image-set.ts';
import type { LayerComparison, Repair, RepairOptions } from '../settings.ts';
import type { ImageModel } from './image-model.ts';
import { checkBatch, mostAtOnce } from './memory.ts';
import { errorRate, FEW, fewImages, splitImages } from './repair.ts';

/** What the model's sites see on images that it works on, under the statistics that it came with. Leaves it on these. */
export async function referenceOf(
  model: ImageModel,
  original: ModelStatistics,
  images: ImageSet,
  options: Pick<RepairOptions, 'scaling' | 'batchSize'>,
  signal: AbortSignal,
): Promise<Reference> {
  applyStatistics(model, original);
  return captureReference(model, batchesOf(images, all(images), { ...options, labels: false }), { signal });
}

/**
 * Adapts the model from its original statistics, and leaves it on the new ones.
 *
 * @throws (rejects) a `FileProblem` if a batch takes too much memory, what `adapt` does, or the signal's reason; the
 *   model's statistics are then as before.
 */
export async function adaptFolded(
  model: ImageModel,
  original: ModelStatistics,
  images: ImageSet,
  known: ImageSet,
  options: RepairOptions,
  run: Pick<Run<unknown, unknown>, 'signal' | 'progress' | 'breathe'>,
): Promise<Repair> {
  checkBatch(model, images.size, options.batchSize);
  const before = await captureStatistics(model);
  const { own, held } = splitImages(images.count);
  const samples = Math.min(options.samples, own.length);
  const labeled = options.labels && images.classes !== undefined;
  const error = () => (labeled ? errorRate(model, images, held, options.scaling, run) : undefined);
  const batches = (indices: readonly number[]) => batchesOf(images, indices, { ...options, labels: false });
  const seen = async () => (await captureReference(model, batches(held), { signal: run.signal })).sites;
  try {
    run.progress(0, 3, 'measuring the reference');
    const reference = await referenceOf(model, original, known, options, run.signal);
    const errorBefore = await error();
    const sitesBefore = await seen();
    const chosen = own.slice(0, samples);
    // A single batch takes a single forward.
    const whole =
      samples <= mostAtOnce(model, images.size) ? [inputsOf(images, chosen, options.scaling)] : undefined;
    try {
      await adapt(model, whole ?? batches(chosen), {
        reference,
        prior: options.prior,
        signal: run.signal,
        onProgress: ({ pass, passes, samples: done }) =>
          run.progress(
            (pass - 1) * samples + done,
            passes * samples,
            `measuring the images, pass ${pass} of ${passes}`,
          ),
      });
    } finally {
      tf.dispose(whole ?? []);
    }
    const adapted = await captureStatistics(model);
    const errorAfter = await error();
    const sitesAfter = await seen();
    return {
      mode: 'layerwise',
      samples,
      prior: options.prior,
      held: held.length,
      apart: own !== held,
      layers: reference.sites.flatMap(
        (site, at) => compared(site, sitesBefore[at], sitesAfter[at], original[at]!, adapted[at]!) ?? [],
      ),
      warnings: samples < FEW ? [fewImages(samples)] : [],
      errors:
        errorBefore === undefined || errorAfter === undefined
          ? null
          : { before: errorBefore, after: errorAfter },
    };
  } catch (thrown) {
    applyStatistics(model, before);
    throw thrown;
  }
}

interface MeanAndVariance {
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
}

/**
 * How far what a site passes on lies from what it passed on of the reference, in standard deviations of that. A folded site
 * normalizes by its stored statistics, at first by 0 and 1.
 */
function compared(
  reference: ReferenceSite,
  before: ReferenceSite | undefined,
  after: ReferenceSite | undefined,
  original: MeanAndVariance,
  adapted: MeanAndVariance,
): LayerComparison | undefined {
  if (!reference.moments || !before?.moments || !after?.moments) return undefined;
  const read = ({ moments }: ReferenceSite) => momentsFromJSON(moments);
  const known = normalized(read(reference), original);
  const [was, is] = [normalized(read(before), original), normalized(read(after), adapted)];
  const means = (now: typeof known) =>
    Float64Array.from(now.mean, (mean, at) => {
      const distance = Math.abs(mean - known.mean[at]!);
      return distance === 0 ? 0 : distance / Math.sqrt(known.variance[at]!);
    });
  const variances = (now: typeof known) =>
    Math.sqrt(
      now.variance.reduce((sum, variance, at) => {
        const ratio = variance / known.variance[at]!;
        // A channel that is still says nothing of how far others spread.
        return sum + (ratio > 0 && Number.isFinite(ratio) ? Math.log(ratio) ** 2 : 0);
      }, 0) / now.variance.length,
    );
  return {
    name: reference.name,
    before: means(was),
    after: means(is),
    variances: { before: variances(was), after: variances(is) },
  };
}

function normalized(seen: MeanAndVariance, by: MeanAndVariance) {
  return {
    mean: Float64Array.from(seen.mean, (mean, at) => (mean - by.mean[at]!) / Math.sqrt(by.variance[at]!)),
    variance: Float64Array.from(seen.variance, (variance, at) => variance / by.variance[at]!),
  };
}

const all = ({ count }: ImageSet) => Array.from({ length: count }, (_, at) => at);
