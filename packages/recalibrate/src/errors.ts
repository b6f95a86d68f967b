/** What can go wrong while statistics are recomputed. Whatever it is, the model is as it was before the call. */
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class RecalibrationError extends RebatchError {}

/** An option is out of its range; says which, what is allowed and what came. */
export class RecalibrationOptionError extends RecalibrationError {}

/** The model has no batch normalization layer, or is not built yet: there is nothing to recompute. */
export class NoBatchNormError extends RecalibrationError {}

/** The model has a stateful RNN, whose state every forward changes and every result depends on. */
export class StatefulModelError extends RecalibrationError {}

/** The data, or one batch of it, is of a kind that cannot be used. */
export class InvalidDataError extends RecalibrationError {}

/** A batch does not fit the model's inputs. */
export class InputShapeError extends RecalibrationError {}

/** A batch holds a tensor that was disposed before its turn. */
export class DisposedTensorError extends RecalibrationError {}

/** The data is empty, ended before the samples that were asked for, or was shorter in a later pass. */
export class InsufficientDataError extends RecalibrationError {}

/** A batch normalization layer received NaN or Infinity. */
export class NonFiniteActivationError extends RecalibrationError {}

/** The backend of TensorFlow.js was switched while the statistics were being computed. */
export class BackendChangedError extends RecalibrationError {}

/** A layer was applied more or less often for one batch than for another. */
export class ApplicationsChangedError extends RecalibrationError {}

/** An estimator refused a batch, or its estimate is not usable as statistics of its layer. */
export class EstimateError extends RecalibrationError {}

/** Statistics that do not fit the model they are meant for, or that should count as a prior and are not usable. */
export class StatisticsError extends RecalibrationError {}

/** A training callback was not given what fit gives to callbacks. */
export class TrainingCallbackError extends RecalibrationError {}
