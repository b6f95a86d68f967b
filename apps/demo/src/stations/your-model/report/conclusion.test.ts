import type { InspectionReport } from '@rebatch/inspect';
import { expect, test } from 'vitest';
import type { Repair } from '../settings.ts';
import { conclusionOf } from './conclusion.ts';

type Report = Pick<InspectionReport, 'errors' | 'layers'>;

const rate = (error: number) => ({ error, standardError: 0.01 });
const report = (stored: number, precise: number): Report =>
  ({ errors: { stored: rate(stored), precise: rate(precise) }, layers: [] }) as unknown as Report;
const unlabelled = (...shifts: (number | null)[]): Report =>
  ({
    errors: null,
    layers: shifts.map((rms) => ({ shift: rms === null ? null : { mean: { rms } } })),
  }) as unknown as Report;
const repair = (errors: Repair['errors']): Pick<Repair, 'errors' | 'layers' | 'samples'> => ({
  errors,
  samples: 1_000,
  layers: [
    { before: Float64Array.of(3, 4), after: Float64Array.of(0.1, 0.1) },
    { before: Float64Array.of(1, 1), after: Float64Array.of(0.2, 0.2) },
  ] as unknown as Repair['layers'],
});

test('an inspection with labels', () => {
  expect(conclusionOf(undefined, undefined)).toBeUndefined();
  expect(conclusionOf(report(0.3, 0.1), undefined)).toBe(
    'The model gets 30.0% of these images wrong with the statistics that it stores, and 10.0% with theirs. Recalibrating ' +
      'it is worth a try.',
  );
  expect(conclusionOf(report(0.1, 0.101), undefined)).toMatch(/: there is nothing to gain\.$/);
  expect(conclusionOf(report(0.1, 0.2), undefined)).toMatch(
    /: it is better off with the ones that it stores\.$/,
  );
});

test('an inspection without labels', () => {
  expect(conclusionOf(unlabelled(0.04, 0.5), undefined)).toBe(
    'The stored means are off by up to 0.5 standard deviations. With labels you would see what that costs.',
  );
  expect(conclusionOf(unlabelled(0.04, null), undefined)).toMatch(
    /0\.04 standard deviations, which is too little/,
  );
  expect(conclusionOf(unlabelled(null), undefined)).toMatch('could not be measured');
});

test('a repair', () => {
  const found = (before: number, after: number) => conclusionOf(report(0.3, 0.1), repair({ before, after }));
  expect(found(0.3, 0.1)).toBe(
    'With statistics of 1,000 of these images the same weights make fewer mistakes: 30.0% before, 10.0% after.',
  );
  expect(found(0.1, 0.2)).toMatch('makes more mistakes: 10.0% before, 20.0% after. Keep the old ones');
  expect(found(0.1, 0.102)).toMatch('stays as it was: 10.0% before, 10.2% after.');
  expect(conclusionOf(undefined, repair(null))).toBe(
    'With statistics of 1,000 of these images the worst layer’s means are off by 0.2 standard deviations, down from 3.5.',
  );
  const worse = repair(null);
  const layers = worse.layers.map(({ before, after }) => ({
    before: after,
    after: before,
  })) as unknown as Repair['layers'];
  expect(conclusionOf(undefined, { ...worse, layers })).toMatch(
    /off by 3\.5 standard deviations, where they were 0\.2 off\.$/,
  );
});
