// All gradients of a normalization by its own moments. The passes over memory are those of the two kernels of its parts; what
// is between them are a few numbers per channel, which ops of TensorFlow.js would take longer for than they are worth.
import { type BatchKernelCall, groupStride } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, allocate, valuesOf, type WasmBackend, withScratch } from '../backend.ts';
import { batchNormKernel } from '../kernel.ts';
import { inputGradientOf } from './backward-input.ts';
import { reductionOf } from './backward-reduce.ts';
import { sortByGroup, sortedBytes } from './by-group.ts';

type Call = BatchKernelCall<'backward', WasmBackend>;

export const backward = batchNormKernel('backward', (call) => {
  const { backend, view, kernelName, shape } = call;
  const { affine } = call.attributes;
  const { groups, channels } = view;
  const sumsBytes = 8 * groups * channels;
  const reduction = reductionOf(call);
  const inputGradient = inputGradientOf(call);
  const passBytes = Math.max(reduction.scratchBytes + sortedBytes(view), inputGradient.scratchBytes);
  return withScratch(backend, 2 * sumsBytes + passBytes, kernelName, (sums) => {
    const pulls = sums + sumsBytes;
    const scratch = pulls + sumsBytes;
    const vector = affine === 'group' ? [groups, channels] : [channels];
    const [dx, ...vectors] = allocateAll(call, [shape, ...(affine === 'none' ? [] : [vector, [...vector]])]);
    reduction.run(sums, scratch, sortByGroup(call, scratch + reduction.scratchBytes));
    writePulls(call, sums, pulls);
    inputGradient.run(addressOf(backend, dx), pulls, scratch);
    // The sums of dy come first, the gradient of gamma does.
    vectors.forEach((output, row) => {
      writeVector(call, sums + (1 - row) * (sumsBytes / 2), addressOf(backend, output));
    });
    return [dx!, ...vectors];
  });
});

/** All of them, or none. */
function allocateAll({ backend, kernelName }: Call, shapes: readonly number[][]): TensorInfo[] {
  const made: TensorInfo[] = [];
  try {
    for (const shape of shapes) made.push(allocate(backend, shape, kernelName));
    return made;
  } catch (error) {
    for (const { dataId } of made) backend.disposeData(dataId, true);
    throw error;
  }
}

/** The means of gamma * dy and of gamma * dy * xhat of each group, each operation rounded to float32. */
function writePulls({ backend, view, inputs, attributes }: Call, sums: number, pulls: number): void {
  const { groups, channels } = view;
  const memory = valuesOf(backend);
  const gamma = inputs.gamma && addressOf(backend, inputs.gamma) / 4;
  const stride = groupStride(inputs.gamma, view);
  const count = Math.fround(attributes.count);
  let [from, to] = [sums / 4, pulls / 4];
  for (let row = 0; row < 2; row++) {
    for (let g = 0; g < groups; g++) {
      const weights = gamma === undefined ? 0 : gamma + g * stride;
      for (let c = 0; c < channels; c++, from++, to++) {
        const weighted =
          gamma === undefined ? memory[from]! : Math.fround(memory[from]! * memory[weights + c]!);
        memory[to] = weighted / count;
      }
    }
  }
}

/** The gradient of gamma or beta: the sums of each group, or their totals. */
function writeVector({ backend, view, attributes }: Call, sums: number, output: number): void {
  const { groups, channels } = view;
  const memory = valuesOf(backend);
  const [from, to] = [sums / 4, output / 4];
  if (attributes.affine === 'group' || groups === 1) {
    memory.copyWithin(to, from, from + groups * channels);
    return;
  }
  for (let c = 0; c < channels; c++) {
    let total = 0;
    for (let g = 0; g < groups; g++) total += memory[from + g * channels + c]!;
    memory[to + c] = total;
  }
}
