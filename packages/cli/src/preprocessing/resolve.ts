// From flags, the file beside the model, and what the model takes, to one preprocessing, with nothing left to guess.

import { type InputDescription, isInputNamed } from '../data/description.ts';
import { DataError, UsageError } from '../errors.ts';
import type { ModelInput } from '../model/load-model.ts';
import type { KnownPreprocessing, Preprocessing } from './preprocessing.ts';

/** What is known of the values of one input before they are read. */
export interface RawInput {
  /** Of one sample, where known. */
  readonly shape: readonly number[] | null;
  /** Whether the values are whole numbers from 0 to 255. */
  readonly bytes: boolean;
}

/** What is known of the data before it is read: of its only input, or of each. */
export interface RawData extends RawInput {
  readonly kind: 'pictures' | 'arrays' | 'module';
  /** For data of several inputs: each, by its name. */
  readonly named?: ReadonlyMap<string, RawInput>;
}

/** A preprocessing, and who said so. */
export interface Resolved {
  readonly preprocessing: Preprocessing;
  /** Where the values' scale comes from. */
  readonly from: 'flags' | 'file' | 'default';
  /** The shape that samples of arrays are brought to; null where they have it. */
  readonly sampleShape: readonly number[] | null;
  /** What the model takes. */
  readonly dtype: 'float32' | 'int32';
  /** What is known now of how inputs are prepared, and is kept beside the model; undefined where nothing is. */
  readonly known: KnownPreprocessing | undefined;
  /** What each input of the model is, where the data has several. */
  readonly inputs?: readonly InputDescription[];
}

const AS_THEY_ARE = { scale: 1, mean: [0], std: [1] };
const ZERO_TO_ONE = { scale: 1 / 255, mean: [0], std: [1] };

/**
 * Of several inputs, each is judged by itself: arrays of bytes are prepared as pictures, and others beside them stay as they
 * are. Where there are no bytes, what is said goes for all.
 *
 * @param flags what the command line says; it goes before `saved`, what the file beside the model says.
 * @throws {UsageError} for flags that contradict the model, {DataError} for data that it cannot take.
 */
export function resolvePreprocessing(
  flags: Partial<Preprocessing>,
  saved: KnownPreprocessing | undefined,
  inputs: readonly ModelInput[],
  raw: RawData,
): Resolved {
  const named = namedInputs(inputs, raw);
  const pictureLike = named.filter(isPictureLike);
  const { input, ...first } = pictureLike[0] ?? named[0] ?? { input: inputs[0], ...raw };
  const shape = input?.shape ?? [];
  if (raw.kind === 'pictures') checkTakesPictures(inputs);
  const layout = flags.layout ?? saved?.layout ?? layoutOf(shape);
  const sides = layout === 'nchw' ? shape.slice(2, 4) : shape.slice(1, 3);
  const channels = layout === 'nchw' ? shape[1] : shape[3];
  const saysValues = (one: Partial<Preprocessing> | undefined) =>
    one !== undefined && (['scale', 'mean', 'std'] as const).some((name) => one[name] !== undefined);
  const from = saysValues(flags) ? 'flags' : saysValues(saved) ? 'file' : 'default';
  const scaled = isPictureLike({ input, bytes: first.bytes });
  const defaults = scaled ? ZERO_TO_ONE : AS_THEY_ARE;
  // Part of a scaling that is said goes with nothing else, not with parts of another one.
  const values = from === 'default' ? defaults : { ...AS_THEY_ARE, ...(from === 'flags' ? flags : saved) };
  const pictures = raw.kind === 'pictures';
  const preprocessing: Preprocessing = {
    size: pictures ? sizeFor(flags.size ?? saved?.size ?? null, sides, flags.size !== undefined) : null,
    fit: flags.fit ?? saved?.fit ?? 'cover',
    color: pictures
      ? colorFor(flags.color ?? saved?.color, channels)
      : (flags.color ?? saved?.color ?? 'rgb'),
    scale: values.scale,
    mean: values.mean,
    std: values.std,
    layout,
  };
  if (!pictures && (flags.size !== undefined || flags.fit !== undefined || flags.color !== undefined)) {
    throw new UsageError(
      '--size, --fit and --color are about pictures; the data is arrays, which are taken as they are.',
    );
  }
  // What arrays are by default says nothing of pictures, which the model may be given next.
  const said = { ...saved, ...(from === 'flags' && pick(values)), ...(flags.layout && { layout }) };
  const known = pictures ? preprocessing : said;
  const described = named.map((one) => ({
    name: one.input.name,
    dtype: one.input.dtype,
    layout: flags.layout ?? saved?.layout ?? layoutOf(one.input.shape),
    sampleShape: reshapeTo(one.shape, one.input.shape),
    asItIs: pictureLike.length > 0 && !isPictureLike(one),
  }));
  return {
    ...{ preprocessing, from, sampleShape: reshapeTo(raw.shape, shape), dtype: input?.dtype ?? 'float32' },
    known: Object.keys(known).length > 0 ? known : undefined,
    ...(described.length > 0 && { inputs: described }),
  };
}

const pick = ({ scale, mean, std }: Pick<Preprocessing, 'scale' | 'mean' | 'std'>) => ({ scale, mean, std });

/** An input of the model, and what the data has for it. */
interface NamedInput extends RawInput {
  readonly input: ModelInput;
}

/** For data of several inputs: those that both have. What is missing, the data says when it is read. */
function namedInputs(inputs: readonly ModelInput[], { kind, named }: RawData): NamedInput[] {
  if (kind === 'module' && inputs.length > 1) {
    return inputs.map((input) => ({ input, shape: null, bytes: false }));
  }
  return inputs.flatMap((input) => {
    const found = [...(named ?? [])].find(([own]) => isInputNamed(own, input.name));
    return found ? [{ input, ...found[1] }] : [];
  });
}

/** A model of whole numbers takes pictures as they are in the file. */
function isPictureLike({ input, bytes }: { input: ModelInput | undefined; bytes: boolean }): boolean {
  return bytes && input?.dtype !== 'int32';
}

function checkTakesPictures(inputs: readonly ModelInput[]): void {
  const [input, ...others] = inputs;
  if (others.length > 0) {
    throw new DataError(
      `The model takes ${inputs.length} inputs (${inputs.map(({ name }) => name).join(', ')}), and a folder of pictures is ` +
        'one. Give it an .npz with an array for each, or a module.',
    );
  }
  // A graph may not say what it takes.
  if (input && (input.shape.length === 4 || input.shape.length === 0)) return;
  throw new DataError(
    `The model takes inputs of shape [${show(input?.shape ?? [])}], which are no pictures. Give it an .npy, an .npz or a module.`,
  );
}

/** Channels last, unless only the front looks like channels. */
function layoutOf(shape: readonly (number | null)[]): 'nhwc' | 'nchw' {
  const isChannels = (size: number | null | undefined) => size === 1 || size === 3;
  return shape.length === 4 && !isChannels(shape[3]) && isChannels(shape[1]) ? 'nchw' : 'nhwc';
}

function sizeFor(
  asked: readonly [number, number] | null,
  sides: readonly (number | null)[],
  byFlag: boolean,
): readonly [number, number] {
  const [height, width] = sides;
  if (asked !== null && [height, width].every((side, i) => (side ?? asked[i]) === asked[i])) return asked;
  if (asked !== null) {
    throw new UsageError(
      `${byFlag ? '--size' : 'The size in the file beside the model'}: expected ${show(sides).replace(', ', 'x')}, the size ` +
        `that the model takes, got ${asked.join('x')}.`,
    );
  }
  if (height && width) return [height, width];
  throw new UsageError(
    'The model takes pictures of any size: say which, as --size 224 or --size 240x320 (height x width).',
  );
}

function colorFor(
  asked: Preprocessing['color'] | undefined,
  channels: number | null | undefined,
): Preprocessing['color'] {
  const found = asked ?? (channels === 1 ? 'gray' : 'rgb');
  const has = found === 'gray' ? 1 : 3;
  if (channels == null || channels === has) return found;
  if (asked === undefined) {
    throw new DataError(
      `The model takes ${channels} channels, and pictures have 1 or 3. Give it an .npy, an .npz or a module.`,
    );
  }
  throw new UsageError(`--color ${asked} has ${has} channels, but the model takes ${channels}.`);
}

/** Where a sample has the values that the model takes, in another shape: 784 for 28 x 28 x 1. */
function reshapeTo(
  raw: readonly number[] | null,
  shape: readonly (number | null)[],
): readonly number[] | null {
  if (raw === null) return null;
  const expected = shape.slice(1);
  const fits = raw.length === expected.length && raw.every((size, i) => size === (expected[i] ?? size));
  if (fits || expected.length === 0) return null;
  const known = expected.filter((size) => size !== null);
  if (known.length === expected.length && isRegrouped(raw, known)) return known;
  // One channel that the data does not mention.
  const last = [...raw, 1];
  if (last.length === expected.length && last.every((size, i) => size === (expected[i] ?? size))) return last;
  return null;
}

/**
 * Whether one shape only groups the axes of the other, so that values keep their meaning: 784 and 28 x 28 x 1 do, while
 * 3 x 8 x 8 and 8 x 8 x 3 have the same number of values in another order.
 */
function isRegrouped(one: readonly number[], other: readonly number[]): boolean {
  const [finer, coarser] = [one, other]
    .map((shape) => shape.filter((size) => size !== 1))
    .sort((a, b) => b.length - a.length) as [number[], number[]];
  let at = 0;
  const grouped = coarser.every((size) => {
    let product = 1;
    while (product < size && at < finer.length) product *= finer[at++]!;
    return product === size;
  });
  return grouped && at === finer.length;
}

const show = (shape: readonly (number | null)[]) => shape.map((size) => size ?? '?').join(', ');
