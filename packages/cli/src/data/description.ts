// Where samples come from and what is done to them, as plain JSON: what a worker or another machine needs to know.
import * as v from 'valibot';
import { DataError } from '../errors.ts';
import { LAYOUTS, type Preprocessing, preprocessingSchema } from '../preprocessing/preprocessing.ts';

/** Where samples come from. Paths are absolute. */
export type DataSource =
  /** A folder of pictures; its sub-folders are labels. */
  | { readonly kind: 'folder'; readonly path: string }
  /** One array of NumPy, samples first. */
  | { readonly kind: 'npy'; readonly path: string }
  /** Arrays of NumPy, samples first: inputs, and labels in one of the name `y`, `ys` or `labels`. */
  | { readonly kind: 'npz'; readonly path: string }
  /** The format of MNIST, also gzipped. */
  | { readonly kind: 'idx'; readonly path: string; readonly labels: string | null }
  /** A JavaScript module that exports samples. */
  | { readonly kind: 'module'; readonly path: string };

/** One of several inputs of a model. */
export interface InputDescription {
  /** What the model calls it. */
  readonly name: string;
  readonly dtype: 'float32' | 'int32';
  readonly layout: Preprocessing['layout'];
  /** The shape of one sample as the model takes it, where an array has to be reshaped for it. */
  readonly sampleShape: readonly number[] | null;
  /** Whether its values stay as they are, beside others that are prepared. */
  readonly asItIs: boolean;
}

/** Data for a model. Everything in it is plain JSON. */
export interface DataDescription {
  readonly source: DataSource;
  readonly preprocessing: Preprocessing;
  /** The seed of the order of the samples; null leaves them as they lie. Modules are never shuffled. */
  readonly shuffle: number | null;
  /** Whether samples that cannot be read are left out and counted. Else they are errors. */
  readonly skipBad: boolean;
  /** The most pixels that a picture may have before it is decoded. */
  readonly maxPixels: number;
  /** The shape of one sample as the model takes it, where arrays have to be reshaped for it. */
  readonly sampleShape: readonly number[] | null;
  /** What the model takes: int32 for graphs that begin with whole numbers. Default float32. */
  readonly dtype?: 'float32' | 'int32';
  /** What each input of the model is, where the data has several by name. */
  readonly inputs?: readonly InputDescription[];
}

/** A picture of 134 megapixels; 400 MB as it is decoded. */
export const MAX_PIXELS = 2 ** 27;

const path = v.pipe(v.string(), v.minLength(1), v.maxLength(1 << 14));
const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31));
const sampleShape = v.nullable(v.pipe(v.array(size), v.minLength(1), v.maxLength(8)));
const dtype = v.picklist(['float32', 'int32']);
const input = v.strictObject({
  name: v.pipe(v.string(), v.maxLength(1 << 14)),
  dtype,
  layout: v.picklist(LAYOUTS),
  sampleShape,
  asItIs: v.boolean(),
});

/** What a {@link DataDescription} is, where it comes from a message. */
export const descriptionSchema = v.strictObject({
  source: v.variant('kind', [
    v.strictObject({ kind: v.literal('folder'), path }),
    v.strictObject({ kind: v.literal('npy'), path }),
    v.strictObject({ kind: v.literal('npz'), path }),
    v.strictObject({ kind: v.literal('idx'), path, labels: v.nullable(path) }),
    v.strictObject({ kind: v.literal('module'), path }),
  ]),
  preprocessing: preprocessingSchema,
  shuffle: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1))),
  skipBad: v.boolean(),
  maxPixels: size,
  sampleShape,
  dtype: v.optional(dtype, 'float32'),
  inputs: v.exactOptional(v.array(input)),
});

/** Whether what the data calls `own` is the model's input `name`: graphs call theirs `x:0`, as their first and only output. */
export const isInputNamed = (own: string | null, name: string): boolean =>
  own === name || `${own}:0` === name;

/** What the description says of the input that the data calls `own`; null is the name of the only one. */
export function inputDescribed(
  { inputs, dtype = 'float32', preprocessing, sampleShape: shape }: DataDescription,
  own: string | null,
): Omit<InputDescription, 'name'> {
  const { layout } = preprocessing;
  if (own === null || inputs === undefined) return { dtype, layout, sampleShape: shape, asItIs: false };
  // What the model does not take matters to nobody.
  const unknown = { dtype: 'float32', layout, sampleShape: null, asItIs: true } as const;
  return inputs.find(({ name }) => isInputNamed(own, name)) ?? unknown;
}

/**
 * A description that came as JSON, checked.
 *
 * @throws {DataError} unless it is one.
 */
export function readDescription(value: unknown): DataDescription {
  const result = v.safeParse(descriptionSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? 'the whole';
  throw new DataError(
    `Expected a description of data, got one in which ${where} is wrong: ${issue.message}.`,
  );
}
