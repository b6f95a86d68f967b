// What can go wrong with a converted graph. Whatever it is, the caller's model is as it was.
import { ModelError, NoBatchNormError } from '@rebatch/models';
import type { LeftOut } from './sites/site.ts';

/** What was handed in is no graph model, or cannot be worked with as it is. */
export class GraphModelError extends ModelError {}

/** Weights of a graph that cannot be read: missing, cut short, of a kind that is not known, or not finite. */
export class GraphWeightsError extends GraphModelError {}

/** A graph in which nothing could be adapted. */
export class NoSiteError extends NoBatchNormError {
  /** The places where it might normalize, and why each of them cannot be used. */
  readonly leftOut: readonly LeftOut[];

  constructor(message: string, leftOut: readonly LeftOut[]) {
    super(message);
    this.leftOut = leftOut;
  }
}
