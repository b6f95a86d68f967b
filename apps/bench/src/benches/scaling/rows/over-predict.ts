// What measuring a model costs beyond running it, where there is much of something in it.

import { inspect } from '@rebatch/inspect';
import { recalibrate } from '@rebatch/recalibrate';
import type { ScalingRow } from '../scaling-row.ts';
import {
  type Family,
  madeOf,
  manyChannels,
  manyLayers,
  nestedModels,
  smallMobilenet,
} from './models-of-many.ts';

type Run = (made: ReturnType<typeof madeOf>) => Promise<unknown>;

const row = (what: string, family: Family, target: number, run: Run, note?: string): ScalingRow => ({
  case: `${what} over predict, ${family.name}`,
  backend: 'wasm',
  sizes: family.sizes,
  unit: family.unit,
  peer: 'predict on the same batches',
  target,
  ...(note !== undefined && { note }),
  options: { budgetMs: 3000, pairs: [3, 15] },
  sides: (size) => {
    const made = madeOf(family, size);
    return {
      ours: { run: () => run(made) },
      peer: { run: made.predictAll },
      dispose: () => void made.model.dispose(),
    };
  },
});

const recalibrated: Run = ({ model, data }) => recalibrate(model, data);
const inspected: Run = ({ model, data }) => inspect(model, data);

const LITTLE = 1 / 1.3;
const CALLS =
  'A layer has 512 values here: one more call of a kernel takes as long as what the kernels compute.';

export const overPredict: readonly ScalingRow[] = [
  row('recalibrate', manyLayers, LITTLE, recalibrated, CALLS),
  ...[manyChannels, smallMobilenet].map((family) => row('recalibrate', family, LITTLE, recalibrated)),
  ...[manyLayers, manyChannels, nestedModels].map((family) => row('inspect', family, 1 / 2.5, inspected)),
];
