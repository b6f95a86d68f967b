// The sums that the gradients of batch normalization need, in one read of dy and x.
import type { BatchKernelCall } from '@rebatch/core/kernels';
import { addressOf, kernelsOf, type WasmBackend } from '../backend.ts';
import { batchNormKernel } from '../kernel.ts';
import { computeByGroup } from './by-group.ts';
import { lanesOf, reductionScratch, sumsByRow } from './view.ts';

/** A call into the module that is still to be made, and the bytes of scratch memory that it takes. */
export interface Reduction {
  readonly scratchBytes: number;
  run(out: number, scratch: number, sorted: number): void;
}

/** The sums of a call. */
export function reductionOf({
  backend,
  view,
  inputs,
  attributes,
}: BatchKernelCall<'backwardReduce' | 'backward', WasmBackend>): Reduction {
  const { epsilon } = attributes;
  const { groups, blocks, rows, channels, inner } = view;
  const kernels = kernelsOf(backend);
  const dy = addressOf(backend, inputs.dy);
  const x = addressOf(backend, inputs.x);
  const moments = addressOf(backend, inputs.moments);
  if (sumsByRow(view)) {
    const ids = addressOf(backend, inputs.ids);
    return {
      scratchBytes: 20 * channels * groups,
      run: (out, scratch) =>
        // biome-ignore format: as many as the module takes
        kernels.backwardReduceRows(
          dy, x, ids, moments, out, scratch, groups, blocks, channels, epsilon,
        ),
    };
  }
  const lanes = lanesOf(view);
  if (lanes.repeat === 0) {
    return {
      scratchBytes: 16 * channels,
      run: (out, scratch, sorted) =>
        // biome-ignore format: as many as the module takes
        kernels.backwardReduceRuns(
          dy, x, sorted, moments, out, scratch, groups, blocks, rows, channels, inner, epsilon,
        ),
    };
  }
  return {
    scratchBytes: reductionScratch(view, lanes, 2),
    run: (out, scratch, sorted) =>
      // biome-ignore format: as many as the module takes
      kernels.backwardReduceLanes(
        dy, x, sorted, moments, out, scratch, groups, blocks, rows, channels, inner, lanes.repeat, epsilon,
      ),
  };
}

export const backwardReduce = batchNormKernel('backwardReduce', (call) => {
  const { scratchBytes, run } = reductionOf(call);
  return computeByGroup(call, scratchBytes, run);
});
