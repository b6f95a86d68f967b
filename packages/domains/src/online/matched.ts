// Online statistics relative to a reference: `matchMoments` of `@rebatch/stats` for packed moments, on host and
// device.
import { type Moments, matchMoments } from '@rebatch/stats';
import * as tf from '@tensorflow/tfjs-core';

/** What a site is matched to. */
export interface Match {
  /** The site's epsilon. */
  readonly epsilon: number;
  readonly reference: Moments;
}

/** Means, then variances, as one array. */
export function packed({
  mean,
  variance,
}: {
  mean: ArrayLike<number>;
  variance: ArrayLike<number>;
}): Float64Array {
  return Float64Array.from([...Array.from(mean), ...Array.from(variance)]);
}

/**
 * What makes of moments of the target on the host the statistics that match them, in place.
 *
 * @param source the statistics that the site had.
 */
export function matchOnHost(source: Float64Array, { epsilon, reference }: Match) {
  const channels = source.length / 2;
  const halves = (of: Float64Array) => ({ mean: of.subarray(0, channels), variance: of.subarray(channels) });
  const stored = { ...halves(source), epsilon };
  return (target: Float64Array): void => {
    const matched = matchMoments(stored, reference, { count: reference.count, ...halves(target) });
    target.set(matched.mean);
    target.set(matched.variance, channels);
  };
}

/** Below this share of the reference's variance, a target's counts as this much where epsilon is 0. */
const LEAST_SHARE = 1e-6;

/** Constants of a match on the device. Dispose when done. */
export interface DeviceMatch {
  /** The reference, [2, 1, channels]. */
  readonly reference: tf.Tensor3D;
  /** What is added to the target's variance, [1, 1, channels]. */
  readonly floor: tf.Tensor;
  /** 1 / (variance of the reference + floor); 0 where that is none. */
  readonly inverse: tf.Tensor;
  readonly epsilon: number;
}

export function deviceMatch({ epsilon, reference }: Match): DeviceMatch {
  const { mean, variance } = reference;
  const channels = mean.length;
  const floors = variance.map((own) => (epsilon > 0 ? epsilon : LEAST_SHARE * own));
  const inverses = variance.map((own, c) => (own + floors[c]! > 0 ? 1 / (own + floors[c]!) : 0));
  const column = (values: Float64Array) => tf.keep(tf.tensor3d(Float32Array.from(values), [1, 1, channels]));
  return {
    reference: tf.keep(tf.tensor3d(Float32Array.from(packed(reference)), [2, 1, channels])),
    floor: column(floors),
    inverse: column(inverses),
    epsilon,
  };
}

export function disposeMatch({ reference, floor, inverse }: DeviceMatch): void {
  tf.dispose([reference, floor, inverse]);
}

/** The statistics that match moments of the target, [2, 1, channels] each. Tidy it. */
export function matchOnDevice(source: tf.Tensor3D, match: DeviceMatch, target: tf.Tensor3D): tf.Tensor3D {
  const { reference, floor, inverse, epsilon } = match;
  const [meanOfSource, varianceOfSource] = tf.split(source, 2) as [tf.Tensor, tf.Tensor];
  const [meanOfReference] = tf.split(reference, 2) as [tf.Tensor, tf.Tensor];
  const [meanOfTarget, varianceOfTarget] = tf.split(target, 2) as [tf.Tensor, tf.Tensor];
  // A channel that is constant on the reference, of a site without epsilon, stays as it is.
  const still = tf.cast(tf.equal(inverse, 0), 'float32');
  const ratio = tf.add(tf.mul(tf.add(varianceOfTarget, floor), inverse), still);
  const variance = tf.relu(tf.sub(tf.mul(tf.add(varianceOfSource, epsilon), ratio), epsilon));
  const offset = tf.mul(tf.sub(meanOfReference, meanOfSource), tf.sqrt(ratio));
  return tf.concat([tf.sub(meanOfTarget, offset), variance]) as tf.Tensor3D;
}
