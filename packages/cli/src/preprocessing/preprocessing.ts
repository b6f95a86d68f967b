// What is done to a picture, or to an array, before a model sees it: plain JSON, said once and kept beside the model.
import * as v from 'valibot';
import { UsageError } from '../errors.ts';

/** How a picture is brought to a size: cut to fill it, shrunk to lie in it with black around, or stretched. */
export const FITS = ['cover', 'contain', 'fill'] as const;
/** The channels of a picture and their order. */
export const COLORS = ['rgb', 'bgr', 'gray'] as const;
/** Where the channels stand in what the model takes: last, or first. */
export const LAYOUTS = ['nhwc', 'nchw'] as const;

const numbers = v.pipe(v.array(v.pipe(v.number(), v.finite())), v.minLength(1), v.maxLength(1 << 16));
const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1 << 14));

/** What a {@link Preprocessing} is, where it comes from a file or a message. */
export const preprocessingSchema = v.strictObject({
  size: v.nullable(v.strictTuple([side, side])),
  fit: v.picklist(FITS),
  color: v.picklist(COLORS),
  scale: v.pipe(v.number(), v.finite()),
  mean: numbers,
  std: v.pipe(
    numbers,
    v.check((all) => all.every((value) => value !== 0), 'Expected deviations other than 0'),
  ),
  layout: v.picklist(LAYOUTS),
});

/** How a sample becomes what a model takes. Each value becomes (value * scale - mean) / std. */
export interface Preprocessing {
  /** Of a picture, [height, width] in pixels; null for arrays, which are taken as they are. */
  readonly size: readonly [height: number, width: number] | null;
  readonly fit: (typeof FITS)[number];
  readonly color: (typeof COLORS)[number];
  readonly scale: number;
  /** One per channel, in the order of `color`, or one for all. Subtracted after scaling. */
  readonly mean: readonly number[];
  /** One per channel, in the order of `color`, or one for all. Divided by. */
  readonly std: readonly number[];
  readonly layout: (typeof LAYOUTS)[number];
}

/** Parts of a preprocessing that someone said, or that a model was used with. */
export type KnownPreprocessing = { readonly [Name in keyof Preprocessing]?: Preprocessing[Name] };

type Values = Pick<Preprocessing, 'scale' | 'mean' | 'std'>;

/** What is done to values from 0 to 255, by the names that people know it by. */
export const PRESETS: Readonly<Record<string, Values & { readonly about: string }>> = {
  '0..1': { scale: 1 / 255, mean: [0], std: [1], about: 'from 0 to 1' },
  '-1..1': { scale: 1 / 127.5, mean: [1], std: [1], about: 'from -1 to 1' },
  mobilenet: {
    scale: 1 / 127.5,
    mean: [1],
    std: [1],
    about: 'from -1 to 1, as MobileNet, Inception, Xception',
  },
  imagenet: {
    scale: 1 / 255,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    about: 'standardized by the channels of ImageNet, as in torchvision',
  },
  '0..255': { scale: 1, mean: [0], std: [1], about: 'as they are in the file' },
};

/** The values of a preset. @throws {UsageError} for a name that there is not, with the nearest. */
export function presetNamed(name: string): Values {
  const found = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (found === undefined) {
    throw new UsageError(
      `--preset: expected one of ${Object.keys(PRESETS).join(', ')}, got ${JSON.stringify(name.slice(0, 40))}. ` +
        'Say it in numbers with --scale, --mean and --std if yours is none of these.',
    );
  }
  const { scale, mean, std } = found;
  return { scale, mean, std };
}

/** Which presets do this, if any. */
export function presetOf({ scale, mean, std }: Values): string | undefined {
  const same = (a: readonly number[], b: readonly number[]) =>
    a.length === b.length && a.every((x, i) => x === b[i]);
  return Object.entries(PRESETS).find(
    ([, preset]) => preset.scale === scale && same(preset.mean, mean) && same(preset.std, std),
  )?.[0];
}

/** In one line, for people. */
export function describePreprocessing(one: Preprocessing): string {
  const { size, fit, color, layout } = one;
  const pictures = size === null ? [] : [`${size[0]}x${size[1]} (${fit})`, color];
  return [...pictures, describeValues(one), layout].join(', ');
}

function describeValues(one: Values): string {
  const preset = presetOf(one);
  const show = (all: readonly number[]) =>
    all.length > 3 ? `[${all.length} numbers]` : all.map(short).join(' ');
  if (preset !== undefined) return `values ${PRESETS[preset]!.about} (${preset})`;
  return `values * ${short(one.scale)} - ${show(one.mean)}, / ${show(one.std)}`;
}

const short = (value: number) => String(Number(value.toPrecision(6)));
