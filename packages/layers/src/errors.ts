import { InvalidInputError } from '@rebatch/core';

/** A layer that belongs to another copy of @tensorflow/tfjs-layers than the one this package uses. */
export class ForeignLayerError extends InvalidInputError {}

/** A model that could not be folded, or, with `strict`, not completely. The model itself is as it was. */
export class FoldError extends InvalidInputError {}

/** A model that the layers of tf.layers cannot express, or that could not be copied. The model itself is as it was. */
export class StockError extends InvalidInputError {}

/** Something else than a model or layer of tf.layers was handed in; the message says what it is and what to do. */
export class NotAModelError extends InvalidInputError {}
