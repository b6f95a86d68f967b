import type { Experiment } from '../experiment.ts';
import { adaptPrior } from './adapt-prior.ts';
import { domainShift } from './domain-shift.ts';
import { emaDecay } from './ema-decay.ts';
import { emaVsPrecise } from './ema-vs-precise.ts';
import { emojiStyles } from './emoji-styles.ts';
import { frozenLastEpochs } from './frozen-last-epochs.ts';
import { leakClassGrouped } from './leak-class-grouped.ts';
import { leakContrastive } from './leak-contrastive.ts';
import { leakRois } from './leak-rois.ts';
import { nbsSweep } from './nbs-sweep.ts';
import { preciseBatchSize } from './precise-batch-size.ts';
import { preciseSamples } from './precise-samples.ts';
import { sharedHead } from './shared-head.ts';

/** Every experiment, in the paper's order. */
export const experiments: readonly Experiment[] = [
  emaVsPrecise,
  emaDecay,
  preciseSamples,
  preciseBatchSize,
  nbsSweep,
  frozenLastEpochs,
  domainShift,
  adaptPrior,
  sharedHead,
  emojiStyles,
  leakClassGrouped,
  leakRois,
  leakContrastive,
];
