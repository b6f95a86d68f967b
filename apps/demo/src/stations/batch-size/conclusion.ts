// What the trainings of this visit show, in words: which of them depends on their numbers.

import { percent } from '../../ui/percent.ts';
import { changesOf, endsFrozen, gapOf, type SizeRun } from './runs.ts';
import type { TrainEvent } from './settings.ts';

/** Shares of digits from which a gap is one, and from which an error has moved. */
const [GAP, MOVED] = [0.03, 0.01];

/** Undefined until something is measured. */
export function conclusionOf(runs: readonly SizeRun[]): string | undefined {
  const measured = runs.filter(({ points }) => points.length > 1);
  const current = measured.at(-1);
  if (current === undefined) return undefined;
  if (endsFrozen(current)) return frozen(current);
  // Of each size the latest.
  const bySize = new Map(measured.filter((run) => !endsFrozen(run)).map((run) => [run.size, run]));
  const ordered = [...bySize.values()].sort((a, b) => a.size - b.size);
  const [smallest, largest] = [ordered[0], ordered.at(-1)];
  if (smallest === undefined || largest === undefined || smallest === largest) return alone(current);
  return compared(smallest, largest, ordered);
}

function alone({ size, points }: SizeRun): string {
  const { errors, step } = points.at(-1) as TrainEvent;
  const [miniBatch, population] = [percent(errors.miniBatch), percent(errors.population)];
  const difference = errors.miniBatch - errors.population;
  const where = `With ${size} digits to a mean, at step ${step}`;
  if (difference >= GAP) {
    return (
      `${where}, the network gets ${miniBatch} of new digits wrong when their neighbours normalize them, and ${population} ` +
      'with population statistics: the neighbours are noise that it will not meet when it runs.'
    );
  }
  if (-difference >= GAP) {
    return (
      `${where}, the network gets ${population} of new digits wrong with population statistics, and only ${miniBatch} as in ` +
      'training: it has come to depend on its neighbours, and will not have them when it runs.'
    );
  }
  return `${where}, it hardly matters how new digits are normalized: ${miniBatch} wrong as in training, ${population} with population statistics.`;
}

function compared(smallest: SizeRun, largest: SizeRun, all: readonly SizeRun[]): string {
  const [few, many] = [smallest, largest].map(({ points }) => gapOf(points.at(-1) as TrainEvent)) as [
    number,
    number,
  ];
  const gaps =
    `With ${smallest.size} digits to a mean, training and running are ${inPoints(few)} apart on new digits; ` +
    `with ${largest.size}, ${inPoints(many)}.`;
  const best = all.reduce((least, run) => (runningError(run) < runningError(least) ? run : least));
  const ends = `What runs best so far was trained with ${best.size}: ${percent(runningError(best))} wrong.`;
  if (few - many >= MOVED) return `${gaps} More neighbours, less noise. ${ends}`;
  if (many - few >= MOVED) return `${gaps} This time the larger group has the wider gap. ${ends}`;
  return `${gaps} That is no difference to speak of. ${ends}`;
}

function frozen(run: SizeRun): string {
  const at = changesOf(run).findLast(({ text }) => text === 'frozen')?.step as number;
  const before = run.points.findLast(({ step }) => step < at);
  const last = run.points.at(-1) as TrainEvent;
  const same = 'From there on the network trains with the statistics that it will run on.';
  if (before === undefined || last.step === at) return `Frozen at step ${at}. ${same}`;
  const [then, now] = [before.errors.population, last.errors.population];
  const errors = `${percent(then)} to ${percent(now)}`;
  const moved =
    then - now >= MOVED
      ? `its error on new digits has fallen since, from ${errors}`
      : now - then >= MOVED
        ? `its error on new digits has grown since, from ${errors}`
        : `its error on new digits has hardly moved since, from ${errors}`;
  return `Frozen at step ${at}. ${same.slice(0, -1)}, and ${moved}.`;
}

/** With population statistics: as the model will run. */
const runningError = ({ points }: SizeRun) => (points.at(-1) as TrainEvent).errors.population;

const inPoints = (share: number) => `${(100 * share).toFixed(1)} points`;
