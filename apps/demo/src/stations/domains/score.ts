import type { LabeledImages } from '@rebatch/images';
import { type Score, SHOWN } from './settings.ts';

/** The shares of digits that are predicted right, and the predictions for those that are shown. */
export function scoreOf(predicted: readonly number[], { labels, classes, size }: LabeledImages): Score {
  const [right, all] = [new Array<number>(classes).fill(0), new Array<number>(classes).fill(0)];
  for (let i = 0; i < size; i++) {
    const label = labels[i]!;
    all[label]!++;
    if (predicted[i] === label) right[label]!++;
  }
  return {
    accuracy: right.reduce((sum, number) => sum + number, 0) / size,
    perClass: right.map((number, label) => number / all[label]!),
    shown: predicted.slice(0, SHOWN),
  };
}
