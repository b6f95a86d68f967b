// A convolution and its gradients. Upstream's WASM backend has XNNPACK's for the first, a plain loop for the input's
// gradient, and nothing for the filter's, which is therefore compared with the cpu backend's.

import * as tf from '@tensorflow/tfjs-core';
import { formatShape, randomTensor, upstreamKernel, useBackend } from '../backends.ts';
import type { Bench, BenchCase } from '../bench.ts';
import { inNode24 } from '../in-node-24.ts';
import { measure, type Side } from '../measure.ts';

/** 3x3 convolutions with stride 1 and padding 'same', as in the CNN of `cnn-step`. */
interface Convolution {
  readonly size: number;
  readonly inputs: number;
  readonly outputs: number;
}

const CONVOLUTIONS: readonly Convolution[] = [
  { size: 28, inputs: 1, outputs: 16 },
  { size: 14, inputs: 16, outputs: 32 },
  { size: 7, inputs: 32, outputs: 64 },
];

export const convGrads: Bench = {
  name: 'conv-grads',
  summary:
    '3x3 convolutions against upstream on wasm, and their gradients: by input against upstream, by filter against cpu',
  cases: () =>
    [
      // From a single channel ours leaves it to upstream.
      ...CONVOLUTIONS.filter(({ inputs }) => inputs > 1).map(forward),
      ...CONVOLUTIONS.flatMap((convolution) => [inputGradient(convolution), filterGradient(convolution)]),
    ].flatMap((one) => [one, ...inNode24(convGrads, one)]),
};

const name = ({ inputs, outputs }: Convolution) => `3x3, ${inputs} to ${outputs} channels`;
const attributes = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', dimRoundingMode: undefined };

function forward(convolution: Convolution): BenchCase {
  const { size, inputs, outputs } = convolution;
  const shape = [64, size, size, inputs];
  return {
    case: `forward, ${name(convolution)}`,
    backend: 'wasm',
    shape: formatShape(shape),
    peer: "upstream's wasm kernel (XNNPACK)",
    target: 1,
    measure: async () => {
      await useBackend('wasm');
      const x = randomTensor(shape, 1);
      const filter = randomTensor([3, 3, inputs, outputs], 2);
      const attrs = { ...attributes, dilations: [1, 1] };
      const side = (kernel: tf.KernelConfig) => kernelSide(kernel, { x, filter }, attrs);
      try {
        return await measure(side(tf.getKernel('Conv2D', 'wasm')), side(upstreamKernel('Conv2D')));
      } finally {
        tf.dispose([x, filter]);
      }
    },
  };
}

function inputGradient(convolution: Convolution): BenchCase {
  const { size, inputs, outputs } = convolution;
  const shape = [64, size, size, inputs] as [number, number, number, number];
  return {
    case: `input, ${name(convolution)}`,
    backend: 'wasm',
    shape: formatShape(shape),
    peer: "upstream's wasm kernel",
    measure: async () => {
      await useBackend('wasm');
      const dy = randomTensor([64, size, size, outputs], 1);
      const filter = randomTensor([3, 3, inputs, outputs], 2);
      const attrs = { ...attributes, inputShape: shape };
      const side = (kernel: tf.KernelConfig) => kernelSide(kernel, { dy, filter }, attrs);
      try {
        const ours = tf.getKernel('Conv2DBackpropInput', 'wasm');
        return await measure(side(ours), side(upstreamKernel('Conv2DBackpropInput')));
      } finally {
        tf.dispose([dy, filter]);
      }
    },
  };
}

function filterGradient(convolution: Convolution): BenchCase {
  const { size, inputs, outputs } = convolution;
  // The cpu backend needs seconds for a batch of 64.
  const shape = [8, size, size, inputs];
  return {
    case: `filter, ${name(convolution)}`,
    backend: 'wasm',
    shape: formatShape(shape),
    peer: "the cpu backend's kernel",
    measure: async () => {
      const attrs = { ...attributes, filterShape: [3, 3, inputs, outputs] };
      const created: tf.Tensor[] = [];
      const side = async (backend: 'wasm' | 'cpu') => {
        await useBackend(backend);
        const x = randomTensor(shape, 1);
        const dy = randomTensor([8, size, size, outputs], 2);
        created.push(x, dy);
        return kernelSide(tf.getKernel('Conv2DBackpropFilter', backend), { x, dy }, attrs, backend);
      };
      try {
        const ours = await side('wasm');
        return await measure(ours, await side('cpu'));
      } finally {
        tf.dispose(created);
      }
    },
  };
}

/** Calls a kernel without the engine around it, so that upstream's can be called after ours has replaced it. */
function kernelSide(
  kernel: tf.KernelConfig,
  inputs: tf.NamedTensorInfoMap,
  attrs: object,
  backend: 'wasm' | 'cpu' = 'wasm',
): Side {
  return {
    prepare: () => useBackend(backend),
    run: () => {
      const output = kernel.kernelFunc({ inputs, attrs: attrs as tf.NamedAttrMap, backend: tf.backend() });
      tf.backend().disposeData((output as tf.TensorInfo).dataId);
    },
  };
}
