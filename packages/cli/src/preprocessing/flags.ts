// What the flags of a command say of preprocessing, as values.
import { UsageError } from '../errors.ts';
import { COLORS, FITS, LAYOUTS, type Preprocessing, presetNamed } from './preprocessing.ts';

/** The flags, as texts. */
export interface PreprocessingFlags {
  readonly size?: string | undefined;
  readonly fit?: string | undefined;
  readonly color?: string | undefined;
  readonly preset?: string | undefined;
  readonly scale?: string | undefined;
  readonly mean?: string | undefined;
  readonly std?: string | undefined;
  readonly layout?: string | undefined;
}

/** @throws {UsageError} for a value that is none. */
export function readFlags(flags: PreprocessingFlags): Partial<Preprocessing> {
  const { size, fit, color, preset, scale, mean, std, layout } = flags;
  return {
    ...(size !== undefined && { size: readSize(size) }),
    ...(fit !== undefined && { fit: oneOf('--fit', FITS, fit) }),
    ...(color !== undefined && { color: oneOf('--color', COLORS, color) }),
    ...(preset !== undefined && presetNamed(preset)),
    ...(scale !== undefined && { scale: readNumber('--scale', scale) }),
    ...(mean !== undefined && { mean: readNumbers('--mean', mean) }),
    ...(std !== undefined && { std: readDeviations(std) }),
    ...(layout !== undefined && { layout: oneOf('--layout', LAYOUTS, layout) }),
  };
}

function readSize(text: string): [number, number] {
  const found = /^(\d{1,5})(?:x(\d{1,5}))?$/i.exec(text);
  const [height, width] = [Number(found?.[1]), Number(found?.[2] ?? found?.[1])];
  if (found && height > 0 && width > 0 && height <= 1 << 14 && width <= 1 << 14) return [height, width];
  throw new UsageError(
    `--size: expected pixels, as 224 or 240x320 (height x width), got ${JSON.stringify(text)}.`,
  );
}

/** A number, or a fraction such as 1/255. */
function readNumber(flag: string, text: string): number {
  const [top, bottom, ...rest] = text
    .split('/')
    .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const value = top! / (bottom ?? 1);
  if (rest.length === 0 && Number.isFinite(value)) return value;
  throw new UsageError(`${flag}: expected a number, such as 0.5 or 1/255, got ${JSON.stringify(text)}.`);
}

function readNumbers(flag: string, text: string): number[] {
  return text.split(',').map((part) => readNumber(flag, part));
}

function readDeviations(text: string): number[] {
  const values = readNumbers('--std', text);
  if (values.every((value) => value !== 0)) return values;
  throw new UsageError('--std: expected numbers other than 0, to divide by.');
}

function oneOf<T extends string>(flag: string, known: readonly T[], text: string): T {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `${flag}: expected one of ${known.join(', ')}, got ${JSON.stringify(text.slice(0, 40))}.`,
  );
}
