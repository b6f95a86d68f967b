// What the experiments that start from the clean network have in common.

import { type LabeledImages, subset } from '@rebatch/images';
import type { SeedContext, SeedSettings } from '../experiment.ts';
import { sampleIndices } from '../training/shuffle.ts';
import { CLEAN, type CleanSettings } from './clean-network.ts';

/** The experiment that trains the network: others have it run first. */
export const CLEAN_NETWORK = 'cifar10-clean-network';

export interface CleanExperimentSettings extends SeedSettings {
  readonly clean: CleanSettings;
  /** Test photographs, the first of the test set. */
  readonly test: number;
}

/** Of a full run. A quick one trains for so few epochs that its errors mean little. */
export const FULL_CLEAN = { seeds: [1, 2, 3], clean: CLEAN, test: 1_000 } as const;
export const QUICK_CLEAN = { seeds: [1], clean: { ...CLEAN, epochs: 1 }, test: 250 } as const;

/** Steps of the network's training are not an experiment's own: mostly the network is on disk. */
export function withoutSteps({ signal }: SeedContext): SeedContext {
  return { signal, advance: () => {} };
}

/** The first of them. */
export function first(images: LabeledImages, count: number): LabeledImages {
  return subset(
    images,
    Array.from({ length: count }, (_, i) => i),
  );
}

/** So many of them, drawn at random. */
export function drawn(images: LabeledImages, count: number, seed: number): LabeledImages {
  return subset(images, sampleIndices(images.size, count, seed));
}
