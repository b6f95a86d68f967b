import { expect, test } from 'vitest';
import { conclusionOf } from './conclusion.ts';
import type { LeakRun } from './runs.ts';
import type { PointEvent, Scheme } from './settings.ts';

const point = (
  step: number,
  scheme: Scheme,
  [training, miniBatch, population]: [number, number, number],
): PointEvent => ({ kind: 'point', step, loss: 1, scheme, errors: { training, miniBatch, population } });
const run = (scheme: Scheme, ...last: [number, number, number]): LeakRun => ({
  points: [point(1, scheme, [0.9, 0.9, 0.9]), point(320, scheme, last)],
});

test('nothing is said before something is measured', () => {
  expect(conclusionOf([])).toBeUndefined();
  expect(conclusionOf([{ points: [point(1, 'apart', [0.9, 0.9, 0.9])] }])).toBeUndefined();
});

test('one training: a cheat, one that does not cheat yet, protected ones', () => {
  expect(conclusionOf([run('apart', 0.4, 0.47, 0.63)])).toBe(
    'At step 320 it gets 47.0% of new digits wrong among digits of their own class, and 63.0% when each comes alone. It ' +
      'reads the label off its neighbours.',
  );
  expect(conclusionOf([run('apart', 0.6, 0.65, 0.66)])).toMatch(
    /no difference: .* So it has not learned to cheat yet\.$/,
  );
  expect(conclusionOf([run('ghost', 0.5, 0.55, 0.56)])).toBe(
    'At step 320 company makes no difference: 55.0% of new digits wrong in a batch, 56.0% alone. So with Ghost groups ' +
      'there is nothing to read off the neighbours.',
  );
  expect(conclusionOf([run('shuffle', 0.5, 0.5, 0.6)])).toMatch(/Something still leaks\.$/);
});

test('with and without protection', () => {
  const honest = run('sync', 0.53, 0.55, 0.56);
  expect(conclusionOf([run('apart', 0.4, 0.47, 0.63), honest])).toBe(
    'Cheating paid in training: 40.0% wrong, against 53.0% with Sync groups. Alone, as the model will run, it is the other ' +
      'way round: 63.0% against 56.0%.',
  );
  expect(conclusionOf([honest, run('apart', 0.4, 0.47, 0.57)])).toMatch(
    /paid in training.* cost nothing so far: 57\.0%/,
  );
  expect(conclusionOf([honest, run('apart', 0.6, 0.6, 0.7)])).toMatch(
    /did not even pay in training.* worse: 70\.0%/,
  );
  expect(conclusionOf([honest, run('apart', 0.52, 0.6, 0.7)])).toMatch(
    /gained next to nothing.* worse: 70\.0%/,
  );
  expect(conclusionOf([honest, run('apart', 0.53, 0.55, 0.56)])).toMatch(/^Neither network is ahead/);
  // Not before both have come as far.
  expect(
    conclusionOf([
      honest,
      { points: run('apart', 0.4, 0.4, 0.6).points.map((one) => ({ ...one, step: 8 })) },
    ]),
  ).toMatch(/^At step 8 it gets/);
});

test('protection that comes, or goes, in the middle', () => {
  const switched = (population: number, to: Scheme = 'ghost'): LeakRun => ({
    points: [
      point(160, to === 'apart' ? 'sync' : 'apart', [0.4, 0.5, 0.66]),
      point(320, to, [0.5, 0.5, population]),
    ],
  });
  expect(conclusionOf([switched(0.56)])).toBe(
    'Since the change to Ghost groups, the error of digits that come alone has fallen: 66.0% at step 160, 56.0% at step 320.',
  );
  expect(conclusionOf([switched(0.76)])).toMatch('has grown: 66.0%');
  expect(conclusionOf([switched(0.67)])).toMatch('has hardly moved: 66.0%');
  expect(conclusionOf([switched(0.76, 'apart')])).toMatch(/^Since the change to no protection, /);
});
