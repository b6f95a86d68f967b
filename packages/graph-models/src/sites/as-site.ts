// The places of a graph as the sites that tools know.
import { WHOLE_BATCH } from '@rebatch/layers/~internal';
import type { Site } from '@rebatch/models';
import type * as tf from '@tensorflow/tfjs-core';
import type { GraphSite } from './site.ts';

/** A place as a site. @param tensors the graph's constants by their names. */
export function asSite(place: GraphSite, tensors: ReadonlyMap<string, tf.Tensor>): Site {
  const { name, channels, epsilon, axis } = place;
  const affine =
    place.kind === 'batchNorm' ? { gamma: tensors.get(place.gamma), beta: tensors.get(place.beta) } : {};
  const options = { name, axis, epsilon, ...affine };
  return {
    name,
    channels,
    epsilon,
    folded: place.kind === 'folded',
    options: () => options,
    normalizationBatches: () => WHOLE_BATCH,
  };
}
