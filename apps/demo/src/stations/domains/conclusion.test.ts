import { expect, test } from 'vitest';
import { conclusionOf } from './conclusion.ts';

const of = (before: number, now?: number, samples = now === undefined ? undefined : 64) =>
  conclusionOf({ name: 'Fog 3', clean: 0.98, before, now, samples });

test('before adapting: what the domain costs', () => {
  expect(conclusionOf(undefined)).toBeUndefined();
  expect(of(0.3)).toBe(
    'On Fog 3 the model reads 30.0% correctly, against 98.0% of clean digits. Not a single weight has changed; its ' +
      'statistics are for other digits.',
  );
  expect(of(0.97)).toMatch(/next to nothing to repair\. Try another corruption, or a higher severity\.$/);
});

test('after it: most of the damage, some of it, none of it, or more of it', () => {
  expect(of(0.38, 0.92)).toBe(
    'On Fog 3 the model reads 38.0% correctly, against 98.0% of clean digits; with statistics adapted to 64 unlabelled ' +
      'digits, 92.0%. That repairs 90% of the damage, and no weight was changed.',
  );
  expect(of(0.38, 0.98)).toMatch('repairs all of the damage');
  expect(of(0.3, 0.57)).toMatch(
    'repairs 40% of the damage: the rest is not a matter of statistics, or takes more samples.',
  );
  expect(of(0.3, 0.33)).toMatch(/Here new statistics repair next to nothing\.$/);
  expect(of(0.3, 0.1, 1)).toMatch(/adapted to 1 unlabelled digit, 10\.0%\. Adapting did harm/);
});

test('where nothing was lost there is nothing to gain', () => {
  expect(of(0.97, 0.975)).toMatch(/There was next to nothing to repair\.$/);
  expect(of(0.97, 0.9)).toMatch(/nothing to repair, and adapting did harm\.$/);
});
