// What a model's sites see on inputs that it is known to work on, as a value that is shipped beside the model.
import { type AnyModel, modelOf, type RecalibrationData } from '@rebatch/models';
import { RecalibrationOptionError, type RecalibrationProgress } from '@rebatch/recalibrate';
import { estimate } from '@rebatch/recalibrate/~internal';
import { type MomentsJSON, momentsToJSON } from '@rebatch/stats';
import {
  abortSignal,
  callable,
  checkOptions,
  either,
  integer,
  type OptionRules,
  oneOf,
} from '@rebatch/stats/~internal';

/** Reference moments of a model. Plain JSON: keep it in a file beside the model. */
export interface Reference {
  readonly format: 'rebatch-reference';
  readonly version: 1;
  /** The model's name, for people. */
  readonly model: string;
  /** How many inputs were measured. */
  readonly samples: number;
  /** The shape of a sample of each input, such as `224x224x3`, with commas between inputs; null where they differed. */
  readonly inputs: string | null;
  /** One entry per site, in the model's order. */
  readonly sites: readonly ReferenceSite[];
}

/** The moments of one site. */
export interface ReferenceSite {
  readonly name: string;
  /** Of what the site normalizes; null for one that the inputs did not reach. */
  readonly moments: MomentsJSON | null;
}

/** Options of `captureReference`. */
export interface ReferenceOptions {
  /** How many inputs to measure: `'all'` (default), or a number (whole batches are taken). */
  readonly samples?: number | 'all';
  /** Ends the call with `signal.reason`. */
  readonly signal?: AbortSignal;
  /** Called after every batch. */
  readonly onProgress?: (progress: RecalibrationProgress) => void;
}

const RULES: OptionRules<ReferenceOptions> = {
  samples: either(integer({ least: 1 }), oneOf('all')),
  signal: abortSignal,
  onProgress: callable(),
};

/**
 * Measures what each site of a model normalizes on reference inputs: inputs that the model is known to work on, with the
 * preprocessing that it is used with. One forward over them; the model runs as at inference and is not changed.
 *
 * A few dozen inputs are enough where they show what the model will meet: its classes, its kind of picture. Their moments
 * tell `adapt` and `adaptOnline` what to bring a target to (option `reference`).
 *
 * @param data as for `recalibrate`; labels are ignored.
 * @returns a plain value for `JSON.stringify`, of about 22 bytes a channel.
 * @throws (rejects) with the signal's reason, or the errors of `recalibrate` about models, data and options.
 */
export async function captureReference(
  model: AnyModel,
  data: RecalibrationData,
  options: ReferenceOptions = {},
): Promise<Reference> {
  const who = 'captureReference';
  const subject = modelOf(who, model);
  checkOptions(who, options, RULES, RecalibrationOptionError);
  const { report, run, accumulators } = await estimate(who, subject, data, options, {
    asStored: true,
    canSkip: false,
    looks: false,
  });
  const [inputs, ...others] = run.signatures;
  return {
    format: 'rebatch-reference',
    version: 1,
    model: subject.name,
    samples: report.samples,
    inputs: others.length === 0 ? inputs! : null,
    sites: accumulators.map((accumulator) => ({
      name: accumulator.site.name,
      moments: accumulator.applications.size > 0 ? momentsToJSON(accumulator.seen()) : null,
    })),
  };
}
