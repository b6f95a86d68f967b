// Normalization in one read and one write.
import { groupStride } from '@rebatch/core/kernels';
import { addressOf, kernelsOf } from '../backend.ts';
import { batchNormKernel, compute } from '../kernel.ts';
import { lanesOf, mapScratch } from './view.ts';

export const normalize = batchNormKernel('normalize', (call) => {
  const { backend, view, inputs } = call;
  const { epsilon } = call.attributes;
  const { groups, blocks, rows, channels, inner } = view;
  const kernels = kernelsOf(backend);
  const x = addressOf(backend, inputs.x);
  const moments = addressOf(backend, inputs.moments);
  const gamma = addressOf(backend, inputs.gamma);
  const beta = addressOf(backend, inputs.beta);
  const ids = addressOf(backend, inputs.ids);
  const perGamma = groupStride(inputs.gamma, view);
  const perBeta = groupStride(inputs.beta, view);
  const lanes = lanesOf(view);
  if (lanes.repeat === 0) {
    return compute(call, 0, (y) =>
      // biome-ignore format: as many as the module takes
      kernels.normalizeRuns(
        x, ids, y, moments, gamma, beta, groups, blocks, rows, channels, inner, perGamma, perBeta, epsilon,
      ),
    );
  }
  return compute(call, mapScratch(view, lanes, 3), (y, scratch) =>
    // biome-ignore format: as many as the module takes
    kernels.normalizeLanes(
      x, ids, y, moments, gamma, beta, scratch,
      groups, blocks, rows, channels, inner, lanes.repeat, perGamma, perBeta, epsilon,
    ),
  );
});
