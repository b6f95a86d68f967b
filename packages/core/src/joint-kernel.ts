// Normalization of several tensors by one set of moments, as one op on the gradient tape: the gradient of one tensor
// depends on those of all outputs. tf.customGrad has a single output, so this is a kernel of TensorFlow.js's registry with
// a gradient of its own. It is made of the calls in ./kernel-calls.ts, and registered for a backend when first needed.
import * as tf from '@tensorflow/tfjs-core';
import { pullsOf, sumLike } from './affine-gradients.ts';
import { packedMoments } from './batch-moments.ts';
import { type ChannelView, valuesPerChannel, viewFor } from './channel-view.ts';
import { isDifferentiatedAgain } from './differentiated-again.ts';
import type { Affine } from './kernel-arguments.ts';
import * as kernels from './kernel-calls.ts';
import { mergePackedMoments } from './merge-packed-moments.ts';

const NAME = 'RebatchJointNormalize';

interface Attributes {
  /** How many of the inputs are tensors to normalize; behind them come the moments, then gamma and beta if any. */
  readonly tensors: number;
  readonly axis: number;
  readonly epsilon: number;
  readonly gamma: boolean;
  readonly beta: boolean;
}

/**
 * Normalizes every x by the same moments, which the gradient takes to be those of all xs together.
 *
 * @param packed [2, 1, channels]; no gradient reaches it.
 */
export function jointNormalize(
  xs: readonly tf.Tensor[],
  packed: tf.Tensor3D,
  { gamma, beta }: Affine,
  axis: number,
  epsilon: number,
): tf.Tensor[] {
  register(tf.getBackend());
  const attributes = {
    tensors: xs.length,
    axis,
    epsilon,
    gamma: gamma !== undefined,
    beta: beta !== undefined,
  } satisfies Attributes;
  const inputs = [...xs, detached(packed), gamma, beta].filter((t) => t !== undefined);
  // An array in the place of a map by name, as TensorFlow.js itself calls its kernels with any number of inputs.
  return tf.engine().runKernel(NAME, inputs as unknown as tf.NamedTensorMap, attributes) as tf.Tensor[];
}

/** The moments of several tensors together, [2, 1, channels]. Differentiable in each. */
function jointMoments(xs: readonly tf.Tensor[], views: readonly ChannelView[]): tf.Tensor3D {
  const count = views.reduce((total, view) => total + valuesPerChannel(view), 0);
  const measured = xs.map((x, at) => packedMoments(x, views[at]!));
  const weights = views.map((view) => [valuesPerChannel(view) / count]);
  return mergePackedMoments(tf.concat(measured, 1), tf.tensor2d(weights));
}

/** The same values, cut off from the gradient tape: no gradient reaches what they were computed from. */
function detached(tensor: tf.Tensor): tf.Tensor {
  return tf.customGrad(() => ({ value: tf.clone(tensor), gradFunc: () => [] }))();
}

function register(backendName: string): void {
  if (tf.getKernel(NAME, backendName) !== undefined) return;
  tf.registerKernel({
    kernelName: NAME,
    backendName,
    kernelFunc: ({ inputs, attrs }) =>
      forward(Object.values(inputs) as tf.Tensor[], attrs as unknown as Attributes),
  });
  if (tf.getGradient(NAME) !== undefined) return;
  tf.registerGradient({
    kernelName: NAME,
    saveAllInputs: true,
    gradFunc: (dys, saved, attrs) =>
      backward(Array.isArray(dys) ? dys : [dys], saved, attrs as unknown as Attributes),
  });
}

function named(inputs: readonly tf.Tensor[], { tensors, gamma, beta }: Attributes) {
  const rest = inputs.slice(tensors + 1);
  return {
    xs: inputs.slice(0, tensors),
    packed: inputs[tensors] as tf.Tensor3D,
    gamma: gamma ? rest.shift() : undefined,
    beta: beta ? rest.shift() : undefined,
  };
}

const viewOf = (x: tf.Tensor, { axis }: Attributes) => viewFor(NAME, x.shape, { axis });

/** The values of tensor `at` in [channels] or [tensors, channels]. */
function ownOf(vector: tf.Tensor | undefined, at: number): tf.Tensor | undefined {
  return vector?.rank === 2 ? tf.reshape(tf.slice(vector, [at, 0], [1, -1]), [-1]) : vector;
}

function forward(inputs: readonly tf.Tensor[], attributes: Attributes): tf.Tensor[] {
  const { xs, packed, gamma, beta } = named(inputs, attributes);
  const { epsilon } = attributes;
  return tf.tidy(() =>
    xs.map((x, at) => {
      const affine = { gamma: ownOf(gamma, at), beta: ownOf(beta, at) };
      return kernels.normalize({ x, moments: packed, ...affine, grouping: viewOf(x, attributes), epsilon });
    }),
  );
}

/** The gradients of the inputs by index; each of xs on demand. */
function backward(
  dys: readonly tf.Tensor[],
  saved: readonly tf.Tensor[],
  attributes: Attributes,
): Record<number, () => tf.Tensor> {
  const { xs, packed, gamma, beta } = named(saved, attributes);
  const views = xs.map((x) => viewOf(x, attributes));
  const { epsilon } = attributes;
  const count = views.reduce((total, view) => total + valuesPerChannel(view), 0);
  // A gradient of this gradient goes through the moments, too, from which the saved ones were cut off.
  const moments = isDifferentiatedAgain() ? jointMoments(xs, views) : packed;
  const calls = xs.map((x, at) => ({ dy: dys[at]!, x, moments, grouping: views[at]!, epsilon }));
  const sums = calls.map(kernels.backwardReduce);
  const pulls = tf.addN(sums.map((own, at) => pullsOf(own, ownOf(gamma, at), count))) as tf.Tensor3D;
  const gradients = calls.map(
    (call, at) => () => kernels.backwardInput({ ...call, pulls, gamma: ownOf(gamma, at) }),
  );
  // The moments are detached; nothing asks for their gradient.
  gradients.push(() => tf.zerosLike(packed));
  // [2, tensors, channels]
  const [sumDy, sumDyXhat] = tf.unstack(tf.concat(sums, 1)) as [tf.Tensor, tf.Tensor];
  if (gamma !== undefined) gradients.push(() => sumLike(sumDyXhat, gamma));
  if (beta !== undefined) gradients.push(() => sumLike(sumDy, beta));
  return Object.fromEntries(gradients.entries());
}
