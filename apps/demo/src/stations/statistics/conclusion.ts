// What a training of this visit shows, in words: which of them depends on its numbers.

import { percent } from '../../ui/percent.ts';
import type { TrainEvent } from './settings.ts';

/** Shares of digits from which a difference is worth a sentence: of the statistics, at the end, and between points. */
const [APART, AT_END, SWING] = [0.05, 0.01, 0.1];

/** Undefined until there is something to compare. */
export function conclusionOf(events: readonly TrainEvent[]): string | undefined {
  // After a single step every average is its first batch.
  const points = events.filter(({ step }) => step > 1);
  const last = points.at(-1);
  if (last === undefined) return undefined;
  return [compared(points, last), ...swing(points)].join(' ');
}

function compared(points: readonly TrainEvent[], last: TrainEvent): string {
  const worst = points.reduce((most, point) => (gap(point) > gap(most) ? point : most));
  const best = points.reduce((least, point) => (gap(point) < gap(least) ? point : least));
  if (gap(worst) >= APART) {
    return (
      `At step ${worst.step} the same weights got ${percent(worst.errors.ema)} of new digits wrong under the EMA, and ` +
      `${percent(worst.errors.precise)} under PreciseBN: the average was still about older weights. ${ending(last)}`
    );
  }
  if (-gap(best) >= APART) {
    return (
      `Here the EMA did better at times: ${percent(best.errors.ema)} wrong at step ${best.step}, against ` +
      `${percent(best.errors.precise)} under PreciseBN. An average over past weights can smooth out a bad step.`
    );
  }
  const widest = Math.max(gap(worst), -gap(best));
  const decays = new Set(points.map(({ decay }) => decay));
  const who = decays.size === 1 ? `With a decay of ${last.decay} the EMA` : 'The EMA';
  return `${who} was never more than ${inPoints(widest)} away from PreciseBN: it forgot old weights fast enough.`;
}

function ending(last: TrainEvent): string {
  const errors = `${percent(last.errors.ema)} and ${percent(last.errors.precise)}`;
  if (gap(last) >= AT_END) return `At step ${last.step} they are still apart: ${errors}.`;
  if (gap(last) <= -AT_END) return `At step ${last.step} it is the EMA that does better: ${errors}.`;
  return `By step ${last.step} it has caught up: ${errors}.`;
}

/** PreciseBN shows the weights as they are, and they may be jumping. */
function swing(points: readonly TrainEvent[]): string[] {
  const late = points.slice(Math.floor(points.length / 2)).map(({ errors }) => errors.precise);
  const [least, most] = [Math.min(...late), Math.max(...late)];
  if (late.length < 3 || most - least < SWING) return [];
  return [
    `PreciseBN swings, too, lately between ${percent(least)} and ${percent(most)}: that is the weights jumping, not the statistics.`,
  ];
}

/** How much worse the EMA is, as a share of the digits. */
const gap = ({ errors }: TrainEvent) => errors.ema - errors.precise;

/** Such as 2.4 points. */
const inPoints = (share: number) => `${(100 * share).toFixed(1)} points`;
