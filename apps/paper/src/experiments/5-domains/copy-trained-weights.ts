import type * as tfl from '@tensorflow/tfjs-layers';

/**
 * The weights of a trained network for one of the same shape with another choice of population statistics.
 *
 * @throws Error if the shapes differ; nothing is copied then.
 */
export function copyTrainedWeights(from: tfl.LayersModel, to: tfl.LayersModel): void {
  const [sources, targets] = [from.trainableWeights, to.trainableWeights];
  const shapes = (weights: typeof sources) => weights.map(({ shape }) => `[${shape}]`).join(' ');
  if (shapes(sources) !== shapes(targets)) {
    throw new Error(`copyTrainedWeights: expected weights ${shapes(targets)}, got ${shapes(sources)}`);
  }
  for (const [i, target] of targets.entries()) target.write(sources[i]!.read());
}
