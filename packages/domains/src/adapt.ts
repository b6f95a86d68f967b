// A trained model on a new domain: its statistics are moved there by unlabeled inputs.
import { type AnyModel, modelOf, type RecalibrationData } from '@rebatch/models';
import {
  type RecalibrationMode,
  RecalibrationOptionError,
  type RecalibrationOptions,
  type RecalibrationReport,
} from '@rebatch/recalibrate';
import { recalibrateFor, recalibrationRules } from '@rebatch/recalibrate/~internal';
import { anything, checkOptions, type OptionRules } from '@rebatch/stats/~internal';
import { momentsOfReference } from './reference/read-reference.ts';
import type { Reference } from './reference/reference.ts';

/** Samples for which the source statistics count unless the caller says otherwise. */
export const PRIOR = 8;

/** Options of `adapt`: those of `recalibrate`, with defaults for few samples. */
export interface AdaptOptions extends RecalibrationOptions {
  /**
   * For how many target samples the model's present statistics count. Default 8: on corrupted digits, 8 images then take
   * away half of the added error, and 64 almost as much as without a prior, while 8 images that are not like their domain
   * (all of one digit) raise the error on clean digits by 0.8 points instead of 2.5 (experiments `domain-shift` and
   * `adapt-prior` of `apps/paper`). Where the target's variances are far below the source's, as in images without
   * contrast, few samples do better with a smaller one.
   */
  readonly prior?: number;
  /**
   * Default `'layerwise'`: with a prior, statistics that are measured behind the batch's own fit no network that runs;
   * the same experiment measures 15.5% of error at 8 samples, against 21.0% in mode `'batch'`.
   */
  readonly mode?: RecalibrationMode;
  /**
   * What the model's sites see on inputs that it is known to work on, from `captureReference`. The target is then matched
   * to the reference: each channel's values land, in mean and deviation, where the model put those of the reference. What
   * the stored statistics say of the clean data plays no role. Needed where they do not describe it: for weights that
   * were quantized or converted, folded models, another mix of classes. With a reference the prior counts for it: the
   * target's moments are blended with those of the reference. In mode `'layerwise'` only.
   */
  readonly reference?: Reference;
}

const RULES: OptionRules<AdaptOptions> = { ...recalibrationRules, reference: anything };

/**
 * Adapts a trained model to a new domain from inputs alone, without labels: the population statistics of its batch
 * normalization layers become those of the target (AdaBN, Li et al. 2016; Wu & Johnson 2021, Sec. 5), blended with
 * those that it has by a pseudo-sample size, `prior` (Schneider et al. 2020). That is right where the stored statistics
 * describe the data that the model works on. Where they do not, give it a `reference`.
 *
 * The model is written to once, at the end; if anything fails or the signal aborts, it is bit by bit as it was. Keep
 * its statistics first (`captureStatistics`), and put them back (`applyStatistics`) before it is adapted to another
 * domain: the prior is what the model has when the call begins.
 *
 * @param model any model with batch normalization layers, stock or converted; layers that are not applied are left
 *   alone.
 * @param targetData inputs of the target domain, as for `recalibrate`: a `tf.data.Dataset` of batches, an iterable, an
 *   array or a tensor. Labels are ignored.
 * @returns a report of what moved, and how far.
 * @throws (rejects) with the signal's reason, or the errors of `recalibrate`: `RecalibrationOptionError` for an option
 *   that does not exist or is out of its range, `StatisticsError` for source statistics that are not finite, and those about the data.
 *   {ReferenceMomentsError} for a reference that is none or of another model; `FoldedStatisticsError` without one, for a model whose
 *   statistics are folded into its weights.
 */
export async function adapt(
  model: AnyModel,
  targetData: RecalibrationData,
  options: AdaptOptions = {},
): Promise<RecalibrationReport> {
  const subject = modelOf('adapt', model);
  checkOptions('adapt', options, RULES, RecalibrationOptionError);
  const { prior = PRIOR, mode = 'layerwise', reference, ...rest } = options;
  const settings = { ...rest, prior, mode };
  if (reference === undefined) return recalibrateFor('adapt', subject, targetData, settings);
  if (mode !== 'layerwise') {
    throw new RecalibrationOptionError(
      `adapt: expected option mode to be 'layerwise' with a reference, got '${mode}'. What layers see behind the batch's ` +
        'own statistics cannot be compared with what they saw behind stored ones.',
    );
  }
  const moments = momentsOfReference('adapt', subject, reference);
  const { inputs } = reference;
  const expected =
    inputs === null ? undefined : { signature: inputs, because: 'as the reference was measured on' };
  return recalibrateFor('adapt', subject, targetData, settings, {
    reference: moments,
    ...(expected && { expected }),
  });
}
