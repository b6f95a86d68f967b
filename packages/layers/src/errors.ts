import { InvalidInputError } from '@rebatch/core';

/** A layer that belongs to another copy of @tensorflow/tfjs-layers than the one this package uses. */
export class ForeignLayerError extends InvalidInputError {}
