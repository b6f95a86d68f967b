// What an audit found, in plain words.
import type { LeakageReport } from '@rebatch/leakage';

export interface Verdict {
  readonly kind: 'bad' | 'good' | 'plain';
  readonly title: string;
  readonly text: string;
}

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
    return {
      kind: 'good',
      title: 'No leak found.',
      text:
        `Digits of its own class around it do not help a digit: its loss is ${own} with them, ${others} among strangers ` +
        `(p = ${pValue.toFixed(2)}).`,
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
      `Among its own class a digit's loss is ${own}, among strangers ${others}: ${chance} (p = ${pValue.toFixed(2)}). ` +
      'It has learned to read the label from the company, not from the digit.',
  };
}
