// What the rows say about the three ways to fine-tune.

import type { Claim } from '@rebatch/findings';
import { differences, meanOf } from '../../../rows/conditions.ts';
import { decide } from '../../../rows/decide.ts';
import { mean, percent, percents } from '../../../rows/summary.ts';
import { AS_TRAINED, emaName, FROZEN, FROZEN_FAST, momentumsOf, RECALIBRATED, type Row } from './rows.ts';

export function claims(rows: readonly Row[]): Claim[] {
  const momentums = momentumsOf(rows);
  const [shortest, longest] = [momentums[0]!, momentums.at(-1)!];
  const error = (condition: string, measure: Row['measure']) => percent(meanOf(rows, condition, measure));
  const both = (condition: string) =>
    `${error(condition, AS_TRAINED)} as trained, ${error(condition, RECALIBRATED)} recalibrated`;
  /** What the statistics that training left cost, by seed. */
  const cost = (condition: string) => differences(rows, [condition, AS_TRAINED], [condition, RECALIBRATED]);
  const list = momentums.map((momentum) => `momentum ${momentum}: ${both(emaName(momentum))}`).join('; ');
  const outdated = cost(emaName(longest));
  const followed = mean(cost(emaName(shortest)));
  const recalibrated = momentums.map((momentum) => meanOf(rows, emaName(momentum), RECALIBRATED));
  const apart = Math.max(...recalibrated) - Math.min(...recalibrated);
  const undone = cost(FROZEN).map((by) => -by);
  const fast = differences(rows, [FROZEN_FAST, AS_TRAINED], [FROZEN, AS_TRAINED]);
  const overEma = differences(rows, [emaName(longest), AS_TRAINED], [FROZEN, AS_TRAINED]);
  const overFrozen = differences(rows, [FROZEN, AS_TRAINED], [emaName(longest), RECALIBRATED]);
  return [
    decide(
      `With momentum ${longest} the EMA hardly leaves the statistics that it started from: the same weights, recalibrated, ` +
        'are better by at least 2 percentage points in every seed.',
      `${both(emaName(longest))}; by seed ${percents(outdated)} better`,
      outdated.every((by) => by >= 0.02),
      `By seed they are ${percents(outdated)} better.`,
    ),
    decide(
      'The larger the momentum, the more recalibration gains.',
      list,
      momentums
        .slice(1)
        .every((momentum, i) => mean(cost(emaName(momentum))) > mean(cost(emaName(momentums[i]!)))),
      `It gains ${momentums.map((m) => `${percent(mean(cost(emaName(m))))} at ${m}`).join(', ')}.`,
    ),
    decide(
      `With momentum ${shortest} the EMA keeps up: as trained it is within 0.5 percentage points of recalibrated.`,
      both(emaName(shortest)),
      Math.abs(followed) <= 0.005,
      `Recalibration gains ${percent(followed)}.`,
    ),
    decide(
      'Recalibrated, the momentum does not matter: within 0.2 percentage points of each other.',
      momentums.map((m, i) => `momentum ${m}: ${percent(recalibrated[i]!)}`).join(', '),
      apart <= 0.002,
      `They are up to ${percent(apart)} apart.`,
    ),
    decide(
      `Frozen BN has nothing to keep up: as trained it is better than the EMA with momentum ${longest}, in every seed.`,
      `frozen ${error(FROZEN, AS_TRAINED)}, EMA ${error(emaName(longest), AS_TRAINED)}; by seed ${percents(overEma)} better`,
      overEma.every((by) => by > 0),
      `By seed it is ${percents(overEma)} better.`,
    ),
    decide(
      'Training on batch statistics and recalibrating is better than frozen BN, in every seed.',
      `recalibrated ${error(emaName(longest), RECALIBRATED)}, frozen ${error(FROZEN, AS_TRAINED)}; by seed ` +
        `${percents(overFrozen)} better`,
      overFrozen.every((by) => by > 0),
      `By seed it is ${percents(overFrozen)} better.`,
    ),
    decide(
      'Frozen BN needs a smaller learning rate: at the one that batch statistics do best with it is worse by at least 2 ' +
        'percentage points in every seed.',
      `frozen ${error(FROZEN, AS_TRAINED)}, at the larger learning rate ${error(FROZEN_FAST, AS_TRAINED)}; by seed ` +
        `${percents(fast)} worse`,
      fast.every((by) => by >= 0.02),
      `By seed it is ${percents(fast)} worse.`,
    ),
    decide(
      'What was trained frozen must stay on its statistics: recalibrated, it is worse in every seed.',
      `${both(FROZEN)}; by seed ${percents(undone)} worse`,
      undone.every((by) => by > 0),
      `By seed it is ${percents(undone)} worse.`,
    ),
  ];
}
