import type { Experiment } from '../experiment.ts';
import { emaDecay } from './ema-decay.ts';
import { emaVsPrecise } from './ema-vs-precise.ts';
import { frozenLastEpochs } from './frozen-last-epochs.ts';
import { nbsSweep } from './nbs-sweep.ts';
import { preciseBatchSize } from './precise-batch-size.ts';
import { preciseSamples } from './precise-samples.ts';

/** Every experiment, in the paper's order. */
export const experiments: readonly Experiment[] = [
  emaVsPrecise,
  emaDecay,
  preciseSamples,
  preciseBatchSize,
  nbsSweep,
  frozenLastEpochs,
];
