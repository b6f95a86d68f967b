import { InvalidInputError } from '@rebatch/core';

/** A layer that belongs to another copy of @tensorflow/tfjs-layers than the one this package uses. */
export class ForeignLayerError extends InvalidInputError {}

/** A model that could not be folded, or, with `strict`, not completely. The model itself is as it was. */
export class FoldError extends InvalidInputError {}
