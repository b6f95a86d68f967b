import { expect, test } from 'vitest';
import { conclusionOf } from './conclusion.ts';
import type { SizeRun } from './runs.ts';
import type { TrainEvent } from './settings.ts';

const event = (step: number, miniBatch: number, population: number, frozen = false): TrainEvent => ({
  step,
  loss: 1,
  frozen,
  errors: { training: 0.5, miniBatch, population },
});
const FIRST = event(1, 0.9, 0.9);
const run = (size: SizeRun['size'], ...points: TrainEvent[]): SizeRun => ({ size, points });

test('nothing is said before something is measured', () => {
  expect(conclusionOf([])).toBeUndefined();
  expect(conclusionOf([run(4), run(2, FIRST)])).toBeUndefined();
});

test('one size: neighbours that are noise', () => {
  expect(conclusionOf([run(4, FIRST, event(240, 0.2, 0.08))])).toBe(
    'With 4 digits to a mean, at step 240, the network gets 20.0% of new digits wrong when their neighbours normalize ' +
      'them, and 8.0% with population statistics: the neighbours are noise that it will not meet when it runs.',
  );
});

test('one size: neighbours that it depends on, and that do not matter', () => {
  expect(conclusionOf([run(4, FIRST, event(240, 0.1, 0.18))])).toMatch(
    /18\.0% of new digits wrong with population statistics, and only 10\.0% as in training: it has come to depend/,
  );
  expect(conclusionOf([run(128, FIRST, event(8, 0.1, 0.11))])).toBe(
    'With 128 digits to a mean, at step 8, it hardly matters how new digits are normalized: 10.0% wrong as in training, ' +
      '11.0% with population statistics.',
  );
});

test('several sizes: the smallest, the largest, and what runs best', () => {
  const some = [run(128, FIRST, event(240, 0.06, 0.06)), run(16, FIRST, event(240, 0.07, 0.05))];
  expect(conclusionOf([...some, run(4, FIRST, event(240, 0.2, 0.08))])).toBe(
    'With 4 digits to a mean, training and running are 12.0 points apart on new digits; with 128, 0.0 points. ' +
      'More neighbours, less noise. What runs best so far was trained with 16: 5.0% wrong.',
  );
  expect(conclusionOf([...some, run(4, FIRST, event(240, 0.085, 0.08))])).toMatch(
    'no difference to speak of',
  );
  expect(conclusionOf([run(4, FIRST, event(8, 0.1, 0.1)), run(128, FIRST, event(8, 0.2, 0.1))])).toMatch(
    'the larger group has the wider gap',
  );
});

test('of the same size the latest counts, and frozen runs apart', () => {
  expect(
    conclusionOf([
      run(4, FIRST, event(240, 0.9, 0.8)),
      run(128, FIRST, event(8, 0.9, 0.1), event(16, 0.9, 0.2, true)),
      run(4, FIRST, event(240, 0.2, 0.08)),
    ]),
  ).toMatch(/^With 4 digits to a mean, at step 240, the network gets 20\.0%/);
});

test('a frozen run: what has become of its error', () => {
  const frozenWith = (then: number, ...later: TrainEvent[]) =>
    conclusionOf([run(4, event(96, 0.3, then), event(100, 0.3, then, true), ...later)]);
  expect(frozenWith(0.12, event(240, 0.3, 0.06, true))).toBe(
    'Frozen at step 100. From there on the network trains with the statistics that it will run on, and its error on new ' +
      'digits has fallen since, from 12.0% to 6.0%.',
  );
  expect(frozenWith(0.12, event(240, 0.3, 0.2, true))).toMatch('has grown since, from 12.0% to 20.0%.');
  expect(frozenWith(0.12, event(240, 0.3, 0.121, true))).toMatch(
    'has hardly moved since, from 12.0% to 12.1%.',
  );
  expect(frozenWith(0.12)).toBe(
    'Frozen at step 100. From there on the network trains with the statistics that it will run on.',
  );
  expect(conclusionOf([run(4, event(1, 0.3, 0.3, true), event(8, 0.3, 0.2, true))])).toMatch(
    /^Frozen at step 1\. From/,
  );
});
