// The photographs of fine-tuning: many of the classes that the backbone knows, and few of those that it is tuned to.

import { type LabeledImages, subset } from '@rebatch/images';
import type { Photographs } from '../../../photographs/data.ts';
import { sampleIndices } from '../../../training/shuffle.ts';

/** Of each kind: 0 to 4 are the old classes (airplane to deer), 5 to 9 the new ones (dog to truck). */
export const CLASSES = 5;

export interface TaskSettings {
  /** Photographs of the new classes to fine-tune on. */
  readonly images: number;
  /** Training photographs of the old classes, at most. */
  readonly pretrainingImages: number;
}

/** The photographs of one seed. */
export interface Task {
  readonly pretraining: LabeledImages;
  /** Of the new classes, drawn by the seed. */
  readonly tuning: LabeledImages;
  /** All test photographs of the new classes. */
  readonly test: LabeledImages;
}

export function taskOf(
  { training, test }: Photographs,
  seed: number,
  { images, pretrainingImages }: TaskSettings,
): Task {
  const [old, novel] = [ofKind(training, 'old'), ofKind(training, 'new')];
  const most = Math.min(pretrainingImages, old.size);
  return {
    pretraining: subset(old, sampleIndices(old.size, most, 0)),
    tuning: subset(novel, sampleIndices(novel.size, images, seed)),
    test: ofKind(test, 'new'),
  };
}

/** The photographs of the old or of the new classes, labeled from 0. */
export function ofKind(images: LabeledImages, kind: 'old' | 'new'): LabeledImages {
  const first = kind === 'old' ? 0 : CLASSES;
  const isOf = (label: number) => label >= first && label < first + CLASSES;
  const indices = Array.from(images.labels.keys()).filter((index) => isOf(images.labels[index]!));
  const chosen = subset(images, indices);
  return { ...chosen, labels: chosen.labels.map((label) => label - first), classes: CLASSES };
}
