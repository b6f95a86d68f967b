// What the corruptions of photographs are tried on, and how their values are compared.

import seedrandom from 'seedrandom';
import { expect } from 'vitest';
import { type Severity, severities } from './corruption.ts';
import type { Image } from './image.ts';
import { named, never, photograph } from './images.test.support.ts';
import { extraCorruptions, photographCorruptions } from './photographs.ts';

export const all = [...photographCorruptions, ...extraCorruptions];
export const apply = (name: string, image: Image, severity: Severity, random: () => number = never) =>
  named(all, name).apply(image, severity, random);
export const bySeverity = <T>(values: readonly [T, T, T, T, T]) =>
  severities.map((severity, i) => [severity, values[i]!] as const);

/** Something with edges and colours everywhere. */
const draw = seedrandom('photograph');
export const colours = photograph(() => draw());
/** Smooth, as most of a photograph is. */
export const smooth = photograph(
  (row, column, channel) => 0.2 + 0.6 * ((row + column * (channel + 1)) / 124),
);

export function momentsOf(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) };
}

/** What a value becomes, over many pixels. */
export function outcomes(name: string, value: number, severity: Severity): number[] {
  const random = seedrandom(`${name} ${severity}`);
  const flat = photograph(() => value);
  return Array.from({ length: 20 }, () => [...apply(name, flat, severity, random).values]).flat();
}

export function expectValues(image: Image, expected: readonly number[], digits = 10): void {
  expect(image.values.length).toBe(expected.length);
  image.values.forEach((value, i) => {
    if (Math.abs(value - expected[i]!) > 10 ** -digits) expect(value, `value ${i}`).toBe(expected[i]);
  });
}
