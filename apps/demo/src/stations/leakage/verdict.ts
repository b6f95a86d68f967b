// What an audit found, in plain words.

import type { LeakageReport } from '@rebatch/leakage';

export interface Verdict {
  readonly kind: 'bad' | 'good' | 'plain';
  readonly title: string;
  readonly text: string;
}

/** A group of one class does harm where its loss is so many times that among strangers. */
const HARM = 1.25;

/** @param report undefined before the first audit. */
export function verdictOf(report: LeakageReport | undefined): Verdict {
  if (report === undefined) {
    return {
      kind: 'plain',
      title: 'Not audited yet.',
      text: 'The audit runs when training ends, or when you ask for it.',
    };
  }
  const { loss, pValue, permutations } = report;
  const [own, others] = [loss.own, loss.strangers.mean].map((value) => value.toFixed(2));
  if (!report.leaks) {
    const losses = `loss ${own} with them, ${others} among strangers (p = ${pValue.toFixed(2)})`;
    return {
      kind: 'good',
      title: 'No leak found.',
      text:
        loss.own > HARM * loss.strangers.mean
          ? `Neighbours of its own class do not help a digit; they get in the way: ${losses}. The network trained on mixed ` +
            'groups, so the statistics of a single class are new to it. That is no leak: nothing is gained by them.'
          : `Neighbours of its own class do not help a digit: ${losses}.`,
    };
  }
  // p counts the true grouping, too.
  const asLow = Math.round(pValue * (permutations + 1)) - 1;
  const chance =
    asLow === 0
      ? `none of ${permutations} random groupings did as well`
      : `${asLow} of ${permutations} random groupings did as well`;
  return {
    kind: 'bad',
    title: 'It cheats.',
    text:
      `Among its own class a digit’s loss is ${own}, among strangers ${others}: ${chance} (p = ${pValue.toFixed(2)}). ` +
      'That difference is the temptation: in training, reading the neighbours lowers the loss.',
  };
}
