// Images for the tests of corruptions.

import { expect } from 'vitest';
import type { Corruption } from './corruption.ts';
import { type Image, imageOf } from './image.ts';

/** Of a digit. */
export const SIDE = 28;

/** A gray image of a digit's size, by its rows and columns. */
export function gray(value: (row: number, column: number) => number): Image {
  return imageOf({ height: SIDE, width: SIDE, channels: 1 }, value);
}

/** A photograph by its rows, columns and channels. */
export function photograph(value: (row: number, column: number, channel: number) => number): Image {
  return imageOf({ height: 32, width: 32, channels: 3 }, value);
}

export function named(corruptions: readonly Corruption[], name: string): Corruption {
  const found = corruptions.find((corruption) => corruption.name === name);
  if (found === undefined) throw new Error(`no corruption '${name}'`);
  return found;
}

/** For corruptions that take no random numbers. */
export const never = () => expect.fail('takes no random numbers');
