import { expect, test } from 'vitest';
import { conclusion, type Readings } from './conclusion.ts';

const reading = (accuracy: number) => ({ accuracy, classes: new Uint8Array() });
const readings = (source: number, plain: number, prior: number, reference: number, same: number): Readings =>
  Object.fromEntries(
    Object.entries({ source, plain, prior, reference, same }).map(([name, value]) => [name, reading(value)]),
  );

test('nothing is said before all is known', () => {
  expect(conclusion({}, 'all')).toBeUndefined();
  expect(conclusion({ ...readings(0, 0, 0, 0, 0), same: undefined } as Readings, 'frog')).toBeUndefined();
});

test('it says what was measured, whichever way it went', () => {
  expect(conclusion(readings(0.5, 0.8, 0.8, 0.8, 0.8), 'all')).toBe(
    'Adapted to all ten classes, the network reads 80.0%, 30 points more than before.',
  );
  expect(conclusion(readings(0.71, 0.68, 0.74, 0.68, 0.78), 'frog')).toMatch(
    /^Adapted plainly to frogs alone, the network reads 68.0% of all ten classes, 3 points fewer than before. Relative to clean frogs it is 78.0%/,
  );
  expect(conclusion(readings(0.8, 0.66, 0.81, 0.66, 0.8), 'cat')).toMatch(/With a prior of 64 it is 81.0%/);
  expect(conclusion(readings(0.8, 0.8, 0.7, 0.8, 0.802), 'ship')).toMatch(
    /as before. Neither a larger prior nor a reference does better here.$/,
  );
});
