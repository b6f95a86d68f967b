// The gradient that reaches x, in one read of dy and x and one write.
import { groupStride } from '@rebatch/core/kernels';
import { addressOf, kernelsOf } from '../backend.ts';
import { batchNormKernel, compute } from '../kernel.ts';
import { lanesOf, mapScratch } from './view.ts';

export const backwardInput = batchNormKernel('backwardInput', (call) => {
  const { backend, view, inputs } = call;
  const { epsilon } = call.attributes;
  const { groups, blocks, rows, channels, inner } = view;
  const kernels = kernelsOf(backend);
  const dy = addressOf(backend, inputs.dy);
  const x = addressOf(backend, inputs.x);
  const moments = addressOf(backend, inputs.moments);
  const pulls = addressOf(backend, inputs.pulls);
  const gamma = addressOf(backend, inputs.gamma);
  const ids = addressOf(backend, inputs.ids);
  const perGamma = groupStride(inputs.gamma, view);
  const lanes = lanesOf(view);
  if (lanes.repeat === 0) {
    return compute(call, 0, (dx) =>
      kernels.backwardInputRuns(
        ...[dy, x, ids, dx, moments, pulls, gamma],
        ...[groups, blocks, rows, channels, inner, perGamma, epsilon],
      ),
    );
  }
  return compute(call, mapScratch(view, lanes, 4), (dx, scratch) =>
    kernels.backwardInputLanes(
      ...[dy, x, ids, dx, moments, pulls, gamma, scratch],
      ...[groups, blocks, rows, channels, inner, lanes.repeat, perGamma, epsilon],
    ),
  );
});
