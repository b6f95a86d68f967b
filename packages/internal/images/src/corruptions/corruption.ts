// What a corruption is, and what all of them share.

import type { Image } from './image.ts';
import type { Random } from './random.ts';

/** 1 is mild, 5 is strong. */
export type Severity = 1 | 2 | 3 | 4 | 5;

/** From mild to strong. */
export const severities: readonly Severity[] = [1, 2, 3, 4, 5];

/** One value for each severity. */
export type PerSeverity<T> = readonly [T, T, T, T, T];

/** A way to make images harder to read, as cameras, transmission and weather do. */
export interface Corruption {
  readonly name: string;
  /** A corrupted copy. Values beyond 0 to 1 are clipped by the caller, as the published definitions do at their end. */
  apply(image: Image, severity: Severity, random: Random): Image;
}

/** A corruption that takes one parameter per severity. */
export function corruption<T>(
  name: string,
  parameters: PerSeverity<NoInfer<T>>,
  apply: (image: Image, parameter: T, random: Random) => Image,
): Corruption {
  return { name, apply: (image, severity, random) => apply(image, parameters[severity - 1]!, random) };
}
