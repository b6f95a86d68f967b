// How cost grows: whatever we do at several sizes, against a peer whose cost is the work itself. One row per file.

import type { Bench } from '../bench.ts';
import { auditSamples } from './scaling/rows/audit-samples.ts';
import { bankLoad } from './scaling/rows/bank-load.ts';
import { ghostByIds } from './scaling/rows/ghost-by-ids.ts';
import { layerwiseLayers } from './scaling/rows/layerwise-layers.ts';
import { mergeShards } from './scaling/rows/merge-shards.ts';
import { mixedDomains } from './scaling/rows/mixed-domains.ts';
import { overPredict } from './scaling/rows/over-predict.ts';
import { smallInference } from './scaling/rows/small-inference.ts';
import { smallModel } from './scaling/rows/small-model.ts';
import { smallTraining } from './scaling/rows/small-training.ts';
import { type ScalingRow, scalingCase } from './scaling/scaling-row.ts';

const ROWS: readonly ScalingRow[] = [
  ...ghostByIds,
  ...smallInference,
  smallModel,
  smallTraining,
  mixedDomains,
  bankLoad,
  layerwiseLayers,
  ...overPredict,
  mergeShards,
  auditSamples,
];

export const scaling: Bench = {
  name: 'scaling',
  summary: 'how time grows with the work, and the ratio at the size that is worst for ours',
  cases: () => ROWS.map(scalingCase),
};
