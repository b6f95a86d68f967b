// The gradient that reaches x, in one read of dy and x and one write.
import { type BatchKernelCall, groupStride } from '@rebatch/core/kernels';
import { addressOf, kernelsOf, type WasmBackend } from '../backend.ts';
import { batchNormKernel, compute } from '../kernel.ts';
import { lanesOf, mapScratch } from './view.ts';

/** A call into the module that is still to be made, and the bytes of scratch memory that it takes. */
export interface InputGradient {
  readonly scratchBytes: number;
  run(dx: number, pulls: number, scratch: number): void;
}

/** The gradient of a call. */
export function inputGradientOf({
  backend,
  view,
  inputs,
  attributes,
}: BatchKernelCall<'backwardInput' | 'backward', WasmBackend>): InputGradient {
  const { epsilon } = attributes;
  const { groups, blocks, rows, channels, inner } = view;
  const kernels = kernelsOf(backend);
  const dy = addressOf(backend, inputs.dy);
  const x = addressOf(backend, inputs.x);
  const moments = addressOf(backend, inputs.moments);
  const gamma = addressOf(backend, inputs.gamma);
  const ids = addressOf(backend, inputs.ids);
  const perGamma = groupStride(inputs.gamma, view);
  const lanes = lanesOf(view);
  if (lanes.repeat === 0) {
    return {
      scratchBytes: 0,
      run: (dx, pulls) =>
        // biome-ignore format: as many as the module takes
        kernels.backwardInputRuns(
          dy, x, ids, dx, moments, pulls, gamma, groups, blocks, rows, channels, inner, perGamma, epsilon,
        ),
    };
  }
  return {
    scratchBytes: mapScratch(view, lanes, 4),
    run: (dx, pulls, scratch) =>
      // biome-ignore format: as many as the module takes
      kernels.backwardInputLanes(
        dy, x, ids, dx, moments, pulls, gamma, scratch, groups, blocks, rows, channels, inner, lanes.repeat, perGamma, epsilon,
      ),
  };
}

export const backwardInput = batchNormKernel('backwardInput', (call) => {
  const { scratchBytes, run } = inputGradientOf(call);
  const pulls = addressOf(call.backend, call.inputs.pulls);
  return compute(call, scratchBytes, (dx, scratch) => run(dx, pulls, scratch));
});
