// What a corruption is, and what all of them share.

/** Images are 28x28. */
export const SIDE = 28;

/** Gray values row by row, 0 (black) to 1 (white). */
export type Image = Float64Array;

/** 1 is mild, 5 is strong. */
export type Severity = 1 | 2 | 3 | 4 | 5;

/** One value for each severity. */
export type PerSeverity<T> = readonly [T, T, T, T, T];

/** Uniform in [0, 1). */
export type Random = () => number;

/** A way to make digits harder to read, as cameras, transmission and weather do. */
export interface Corruption {
  readonly name: string;
  /** A corrupted copy. Values beyond 0 to 1 are clipped by the caller, as the published definitions do at their end. */
  apply(image: Image, severity: Severity, random: Random): Image;
}

/** A corruption that takes one parameter per severity. */
export function corruption<T>(
  name: string,
  parameters: PerSeverity<T>,
  apply: (image: Image, parameter: T, random: Random) => Image,
): Corruption {
  return { name, apply: (image, severity, random) => apply(image, parameters[severity - 1]!, random) };
}

/** The value at a row and a column; beyond the border, that of the nearest pixel. */
export function pixelAt(image: Image, row: number, column: number): number {
  return image[within(row) * SIDE + within(column)]!;
}

/** The nearest row or column that there is. */
export function within(index: number): number {
  return Math.min(SIDE - 1, Math.max(0, index));
}

/** A new image by its rows and columns. */
export function imageOf(value: (row: number, column: number) => number): Image {
  const image = new Float64Array(SIDE * SIDE);
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) image[row * SIDE + column] = value(row, column);
  }
  return image;
}
