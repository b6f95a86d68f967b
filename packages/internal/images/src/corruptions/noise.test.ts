// Noise against the moments that its definition gives.
import seedrandom from 'seedrandom';
import { expect, test } from 'vitest';
import type { Corruption, Severity } from './corruption.ts';
import { digitCorruptions } from './digits.ts';
import { gray, named } from './images.test.support.ts';

const [gaussianNoise, shotNoise, impulseNoise] = ['gaussian-noise', 'shot-noise', 'impulse-noise'].map(
  (name) => named(digitCorruptions, name),
) as [Corruption, Corruption, Corruption];

/** Moments of what a gray value becomes, over many pixels. */
function momentsOf({ apply }: Corruption, value: number, severity: Severity) {
  const random = seedrandom(`moments ${severity}`);
  const values = Array.from({ length: 100 }, () => [
    ...apply(
      gray(() => value),
      severity,
      random,
    ).values,
  ]).flat();
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  return { mean, variance, values };
}

test.each([
  [1, 0.08],
  [2, 0.12],
  [3, 0.18],
  [4, 0.26],
  [5, 0.38],
] as const)(
  'gaussian noise of severity %d has the moments and the tails of a normal value',
  (severity, deviation) => {
    const { mean, variance, values } = momentsOf(gaussianNoise, 0.5, severity);
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02 * deviation);
    expect(Math.abs(Math.sqrt(variance) / deviation - 1)).toBeLessThan(0.02);
    const beyond = values.filter((v) => Math.abs(v - 0.5) > 2 * deviation).length / values.length;
    expect(beyond).toBeCloseTo(0.0455, 2);
  },
);

test.each([
  [1, 60],
  [2, 25],
  [3, 12],
  [4, 5],
  [5, 3],
] as const)('shot noise of severity %d counts %d photons: variance = mean / photons', (severity, photons) => {
  for (const value of [0.3, 1]) {
    const { mean, variance, values } = momentsOf(shotNoise, value, severity);
    expect(Math.abs(mean / value - 1)).toBeLessThan(0.02);
    expect(Math.abs((variance * photons) / value - 1)).toBeLessThan(0.05);
    const none = values.filter((v) => v === 0).length / values.length;
    expect(none).toBeCloseTo(Math.exp(-value * photons), 2);
    expect(values.every((v) => Math.abs(v * photons - Math.round(v * photons)) < 1e-9)).toBe(true);
  }
  expect(momentsOf(shotNoise, 0, severity).variance).toBe(0);
});

test.each([
  [1, 0.03],
  [2, 0.06],
  [3, 0.09],
  [4, 0.17],
  [5, 0.27],
] as const)('impulse noise of severity %d hits %d of the pixels', (severity, share) => {
  const { values } = momentsOf(impulseNoise, 0.5, severity);
  const count = (value: number) => values.filter((v) => v === value).length / values.length;
  expect(count(0)).toBeCloseTo(share / 2, 2);
  expect(count(1)).toBeCloseTo(share / 2, 2);
  expect(count(0) + count(1) + count(0.5)).toBeCloseTo(1, 12);
});
