// What the trainings of this visit show, in words: which of them depends on their numbers.

import type { ThreeErrors } from '../../training/three-errors.ts';
import { percent } from '../../ui/percent.ts';
import { changesOf, type LeakRun, shortOf } from './runs.ts';
import type { PointEvent } from './settings.ts';

/** The share of digits from which a difference is one. */
const APART = 0.03;

/** Undefined until something is measured. */
export function conclusionOf(runs: readonly LeakRun[]): string | undefined {
  const measured = runs.filter(({ points }) => points.length > 1);
  const current = measured.at(-1);
  if (current === undefined) return undefined;
  const change = changesOf(current).at(-1);
  if (change !== undefined) return changed(current, change.step);
  const pure = measured.filter((run) => changesOf(run).length === 0);
  const cheat = pure.findLast((run) => schemeOf(run) === 'apart');
  const honest = pure.findLast((run) => schemeOf(run) !== 'apart');
  // Against each other once both have come as far.
  if (cheat === undefined || honest === undefined || lastOf(cheat).step !== lastOf(honest).step) {
    return alone(current);
  }
  return compared(lastOf(cheat).errors, lastOf(honest).errors, shortOf(schemeOf(honest)));
}

function alone(run: LeakRun): string {
  const { errors, step, scheme } = lastOf(run);
  const [company, by] = [percent(errors.miniBatch), percent(errors.population)];
  if (leakOf(errors) >= APART) {
    const still = scheme === 'apart' ? 'It reads the label off its neighbours.' : 'Something still leaks.';
    return `At step ${step} it gets ${company} of new digits wrong among digits of their own class, and ${by} when each comes alone. ${still}`;
  }
  const why =
    scheme === 'apart'
      ? 'it has not learned to cheat yet'
      : `with ${shortOf(scheme)} groups there is nothing to read off the neighbours`;
  return `At step ${step} company makes no difference: ${company} of new digits wrong in a batch, ${by} alone. So ${why}.`;
}

function compared(cheat: ThreeErrors, honest: ThreeErrors, name: string): string {
  const paid = honest.training - cheat.training;
  const cost = cheat.population - honest.population;
  const training = `${percent(cheat.training)} wrong, against ${percent(honest.training)} with ${name} groups`;
  const running = `${percent(cheat.population)} against ${percent(honest.population)}`;
  if (paid >= APART && cost >= APART) {
    return `Cheating paid in training: ${training}. Alone, as the model will run, it is the other way round: ${running}.`;
  }
  if (paid >= APART)
    return `Cheating paid in training: ${training}. Alone it has cost nothing so far: ${running}.`;
  if (cost >= APART) {
    const gained =
      paid <= -APART
        ? 'Cheating did not even pay in training'
        : 'Cheating gained next to nothing in training';
    return `${gained}: ${training}. Alone, as the model will run, it does worse: ${running}.`;
  }
  return `Neither network is ahead: in training ${training}; alone ${running}.`;
}

function changed(run: LeakRun, step: number): string {
  const before = run.points.findLast((point) => point.step < step) as PointEvent;
  const { errors, scheme, step: now } = lastOf(run);
  const [then, since] = [before.errors.population, errors.population];
  const how = then - since >= APART ? 'has fallen' : since - then >= APART ? 'has grown' : 'has hardly moved';
  const at = `Since the change to ${shortOf(scheme) === 'None' ? 'no protection' : `${shortOf(scheme)} groups`}`;
  return `${at}, the error of digits that come alone ${how}: ${percent(then)} at step ${before.step}, ${percent(since)} at step ${now}.`;
}

const lastOf = ({ points }: LeakRun) => points.at(-1) as PointEvent;
const schemeOf = (run: LeakRun) => lastOf(run).scheme;
/** How much worse digits fare alone than among their class. */
const leakOf = ({ population, miniBatch }: ThreeErrors) => population - miniBatch;
