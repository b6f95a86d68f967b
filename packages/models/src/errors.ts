// What can go wrong between a model, its data and its statistics. Whatever it is, the model is as it was.
import { RebatchError } from '@rebatch/stats';

/** Base of the errors of this package. */
export class ModelError extends RebatchError {}

/** The model has no batch normalization layer, or is not built yet: it has no statistics. */
export class NoBatchNormError extends ModelError {}

/** The data, or one batch of it, is of a kind that cannot be used. */
export class InvalidDataError extends ModelError {}

/** A batch does not fit the model's inputs. */
export class InputShapeError extends ModelError {}

/** A batch holds a tensor that was disposed before its turn. */
export class DisposedTensorError extends ModelError {}

/** Statistics that do not fit the model they are meant for, or that should count as a prior and are not usable. */
export class StatisticsError extends ModelError {}

/** The model, or a part of it, is disposed. */
export class DisposedModelError extends ModelError {}

/** The backend of TensorFlow.js was switched while the model was at work. */
export class BackendChangedError extends ModelError {}
