// Which photographs are for what. What is chosen (a rate, a threshold) is chosen on the validation split, never on test
// photographs: those are read once per run that is committed.

import { type LabeledImages, subset } from '@rebatch/images';
import seedrandom from 'seedrandom';

/** How many training photographs of each class are set apart. */
export const VALIDATION = 300;

export interface Splits {
  readonly training: LabeledImages;
  /** Of the training photographs, as many of each class; no network is trained on them. */
  readonly validation: LabeledImages;
}

/**
 * Splits the training photographs: so many of each class are for validation, always the same ones, in the order of the
 * data set.
 *
 * @throws RangeError if a class has no more than that.
 */
export function splitsOf(photographs: LabeledImages, perClass: number = VALIDATION): Splits {
  const chosen = new Set<number>();
  for (let label = 0; label < photographs.classes; label++) {
    const own = shuffled(indicesOf(photographs, label), `cifar10 validation ${label}`);
    if (own.length <= perClass) {
      throw new RangeError(
        `cifar10: class ${label} has ${own.length} photographs, and ${perClass} are to be set apart`,
      );
    }
    for (const index of own.slice(0, perClass)) chosen.add(index);
  }
  const all = Array.from({ length: photographs.size }, (_, i) => i);
  return {
    training: subset(
      photographs,
      all.filter((index) => !chosen.has(index)),
    ),
    validation: subset(
      photographs,
      all.filter((index) => chosen.has(index)),
    ),
  };
}

function indicesOf({ labels }: LabeledImages, label: number): number[] {
  return Array.from(labels.keys()).filter((index) => labels[index] === label);
}

/** Fisher-Yates. */
function shuffled(values: readonly number[], seed: string): number[] {
  const random = seedrandom(seed);
  const order = [...values];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
