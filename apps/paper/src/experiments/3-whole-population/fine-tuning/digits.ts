// The digits of fine-tuning: many of the classes that the backbone knows, and few of those that it is tuned to.

import { firstDigits, loadDigits } from '@rebatch/digits';
import { type LabeledImages, subset } from '@rebatch/images';
import { sampleIndices } from '../../../training/shuffle.ts';

/** Of each kind: 0 to 4 are the old classes, 5 to 9 the new ones. */
export const CLASSES = 5;

export interface TaskSettings {
  /** Training digits, the first of the training set. Those after them are for the choice of settings. */
  readonly training: number;
  /** Images of the new classes to fine-tune on. */
  readonly images: number;
  /** Test digits of all classes, the first of the test set. */
  readonly test: number;
}

/** The digits of one seed. */
export interface Task {
  /** All training digits of the old classes. */
  readonly pretraining: LabeledImages;
  /** Training digits of the new classes, drawn by the seed. */
  readonly tuning: LabeledImages;
  /** Test digits of the new classes. */
  readonly test: LabeledImages;
}

export async function loadTask(seed: number, { training, images, test }: TaskSettings): Promise<Task> {
  const train = firstDigits(await loadDigits('train'), training);
  const novel = digitsOf(train, 'new');
  return {
    pretraining: digitsOf(train, 'old'),
    tuning: subset(novel, sampleIndices(novel.size, images, seed)),
    test: digitsOf(firstDigits(await loadDigits('t10k'), test), 'new'),
  };
}

/** The digits of the old or of the new classes, labeled from 0. */
export function digitsOf(digits: LabeledImages, which: 'old' | 'new'): LabeledImages {
  const first = which === 'old' ? 0 : CLASSES;
  const isOf = (label: number) => label >= first && label < first + CLASSES;
  const indices = Array.from({ length: digits.size }, (_, i) => i).filter((i) => isOf(digits.labels[i]!));
  const chosen = subset(digits, indices);
  return { ...chosen, labels: chosen.labels.map((label) => label - first), classes: CLASSES };
}
