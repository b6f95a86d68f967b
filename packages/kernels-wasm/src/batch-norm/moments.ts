// Mean and variance in one read of x.
import { addressOf, kernelsOf } from '../backend.ts';
import { batchNormKernel, compute } from '../kernel.ts';
import { computeByGroup } from './by-group.ts';
import { lanesOf, reductionScratch, sumsByRow } from './view.ts';

export const moments = batchNormKernel('moments', (call) => {
  const { backend, view, inputs, attributes } = call;
  const { groups, blocks, rows, channels, inner } = view;
  const kernels = kernelsOf(backend);
  const x = addressOf(backend, inputs.x);
  const rest = attributes.rest === true ? 1 : 0;
  if (sumsByRow(view)) {
    const ids = addressOf(backend, inputs.ids);
    return compute(call, (20 * channels + 4) * groups, (out, scratch) =>
      kernels.momentsRows(x, ids, out, scratch, groups, blocks, channels, rest),
    );
  }
  const lanes = lanesOf(view);
  if (lanes.repeat === 0) {
    return computeByGroup(call, 16 * channels, (out, scratch, sorted) =>
      kernels.momentsRuns(x, sorted, out, scratch, groups, blocks, rows, channels, inner, rest),
    );
  }
  return computeByGroup(call, reductionScratch(view, lanes, 1), (out, scratch, sorted) =>
    // biome-ignore format: as many as the module takes
    kernels.momentsLanes(
      x, sorted, out, scratch, groups, blocks, rows, channels, inner, lanes.repeat, rest, 0, 0, 0,
    ),
  );
});
