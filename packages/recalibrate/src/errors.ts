// What can go wrong while statistics are recomputed. Whatever it is, the model is as it was before the call.
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class RecalibrationError extends RebatchError {}

/** An option is out of its range; says which, what is allowed and what came. */
export class RecalibrationOptionError extends RecalibrationError {}

/** The model has a stateful RNN, whose state every forward changes and every result depends on. */
export class StatefulModelError extends RecalibrationError {}

/** The statistics of a site are folded into its weights: they can be matched to a reference, and not recomputed. */
export class FoldedStatisticsError extends RecalibrationError {}

/** The data is empty, ended before the samples that were asked for, or was shorter in a later pass. */
export class InsufficientDataError extends RecalibrationError {}

/** A batch normalization layer received NaN or Infinity. */
export class NonFiniteActivationError extends RecalibrationError {}

/** A layer was applied more or less often for one batch than for another. */
export class ApplicationsChangedError extends RecalibrationError {}

/** An estimator refused a batch, or its estimate is not usable as statistics of its layer. */
export class EstimateError extends RecalibrationError {}

/** A training callback was not given what fit gives to callbacks. */
export class TrainingCallbackError extends RecalibrationError {}

/** A state to go on from is damaged, or is of another model or another run; or shards do not fit together. */
export class ShardError extends RecalibrationError {}
