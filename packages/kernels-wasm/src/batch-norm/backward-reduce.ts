// The sums that the gradients of batch normalization need, in one read of dy and x.
import { addressOf, kernelsOf } from '../backend.ts';
import { batchNormKernel } from '../kernel.ts';
import { computeByGroup } from './by-group.ts';
import { lanesOf, reductionScratch } from './view.ts';

export const backwardReduce = batchNormKernel('backwardReduce', (call) => {
  const { backend, view, inputs } = call;
  const { epsilon } = call.attributes;
  const { groups, blocks, rows, channels, inner } = view;
  const kernels = kernelsOf(backend);
  const dy = addressOf(backend, inputs.dy);
  const x = addressOf(backend, inputs.x);
  const moments = addressOf(backend, inputs.moments);
  const lanes = lanesOf(view);
  if (lanes.repeat === 0) {
    return computeByGroup(call, 16 * channels, (out, scratch, sorted) =>
      kernels.backwardReduceRuns(
        ...[dy, x, sorted, moments, out, scratch],
        ...[groups, blocks, rows, channels, inner, epsilon],
      ),
    );
  }
  return computeByGroup(call, reductionScratch(view, lanes, 2), (out, scratch, sorted) =>
    kernels.backwardReduceLanes(
      ...[dy, x, sorted, moments, out, scratch],
      ...[groups, blocks, rows, channels, inner, lanes.repeat, epsilon],
    ),
  );
});
