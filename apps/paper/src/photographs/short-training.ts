// The trainings of the experiments that train networks of their own: much shorter than that of the clean network, since
// they compare many networks of the same kind.

import type { TrainingSettings } from './photograph-training.ts';

/** As the clean network is trained, in fewer epochs. */
export const SHORT: TrainingSettings = {
  epochs: 2,
  batch: 128,
  peak: 0.2,
  momentum: 0.9,
  weightDecay: 5e-4,
  augmentation: { shift: 2, mirror: true },
};

/** Of quick runs: so few photographs that they take about a minute. */
export const QUICK_PHOTOGRAPHS = 2_560;
