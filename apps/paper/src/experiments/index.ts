import type { Experiment } from '../experiment.ts';
import { cifar10EmaDecay } from './3-whole-population/cifar10-ema-decay.ts';
import { cifar10EmaVsPrecise } from './3-whole-population/cifar10-ema-vs-precise.ts';
import { cifar10FineTuning } from './3-whole-population/cifar10-fine-tuning/cifar10-fine-tuning.ts';
import { cifar10PreciseBatchSize } from './3-whole-population/cifar10-precise-batch-size.ts';
import { cifar10PreciseSamples } from './3-whole-population/cifar10-precise-samples.ts';
import { emaDecay } from './3-whole-population/ema-decay.ts';
import { emaVsPrecise } from './3-whole-population/ema-vs-precise.ts';
import { fineTuning } from './3-whole-population/fine-tuning/fine-tuning.ts';
import { preciseBatchSize } from './3-whole-population/precise-batch-size.ts';
import { preciseSamples } from './3-whole-population/precise-samples.ts';
import { cifar10FrozenLastEpochs } from './4-training-and-testing/cifar10-frozen-last-epochs.ts';
import { cifar10NbsSweep } from './4-training-and-testing/cifar10-nbs-sweep/cifar10-nbs-sweep.ts';
import { frozenLastEpochs } from './4-training-and-testing/frozen-last-epochs.ts';
import { nbsSweep } from './4-training-and-testing/nbs-sweep.ts';
import { adaptPrior } from './5-domains/adapt-prior.ts';
import { cifar10ClassShift } from './5-domains/cifar10-class-shift/cifar10-class-shift.ts';
import { cifar10CleanNetwork } from './5-domains/cifar10-clean-network.ts';
import { cifar10DomainShift } from './5-domains/cifar10-domain-shift/cifar10-domain-shift.ts';
import { domainShift } from './5-domains/domain-shift/domain-shift.ts';
import { emojiStyles } from './5-domains/emoji-styles/emoji-styles.ts';
import { sharedHead } from './5-domains/shared-head/shared-head.ts';
import { sharedHeadTuning } from './5-domains/shared-head-tuning.ts';
import { cifar10LeakClassGrouped } from './6-leakage/cifar10-leak-class-grouped.ts';
import { leakClassGrouped } from './6-leakage/leak-class-grouped.ts';
import { leakContrastive } from './6-leakage/leak-contrastive.ts';
import { leakRois } from './6-leakage/leak-rois.ts';

/** Every experiment, by the paper's sections. */
export const experiments: readonly Experiment[] = [
  emaVsPrecise,
  emaDecay,
  preciseSamples,
  preciseBatchSize,
  fineTuning,
  cifar10EmaVsPrecise,
  cifar10EmaDecay,
  cifar10PreciseSamples,
  cifar10PreciseBatchSize,
  cifar10FineTuning,
  nbsSweep,
  frozenLastEpochs,
  cifar10NbsSweep,
  cifar10FrozenLastEpochs,
  domainShift,
  adaptPrior,
  sharedHeadTuning,
  sharedHead,
  emojiStyles,
  cifar10CleanNetwork,
  cifar10DomainShift,
  cifar10ClassShift,
  leakClassGrouped,
  leakRois,
  leakContrastive,
  cifar10LeakClassGrouped,
];

/** Those of a quick run of all: photographs take too long, and are fetched first. */
export const quickExperiments = experiments.filter(({ name }) => !name.startsWith('cifar10-'));
