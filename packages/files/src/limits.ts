import { shown } from '@rebatch/stats/~internal';
import { FileLimitError } from './errors.ts';

/** How large a model may claim to be before it is refused; each can be set in the options. */
export interface Limits {
  /** Bytes of all weights together, and of any file that must be held whole. Default 2^31. */
  readonly maxBytes: number;
  /** Bytes of a JSON text: `model.json`, or a Keras configuration. Default 2^27. */
  readonly maxJsonBytes: number;
  /** Weights of a model. Default 100,000. */
  readonly maxWeights: number;
  /** Layers or nodes of a model, nested ones included. Default 100,000. */
  readonly maxNodes: number;
  /** Values of one input of the model for one sample. Default 2^26, an image of 8192 x 8192. */
  readonly maxInputValues: number;
  /** Units, filters, repetitions and the like of one layer of which no weight says so. Default 2^20. */
  readonly maxLayerSize: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxBytes: 2 ** 31,
  maxJsonBytes: 2 ** 27,
  maxWeights: 100_000,
  maxNodes: 100_000,
  maxInputValues: 2 ** 26,
  maxLayerSize: 2 ** 20,
};

/** The defaults with what is given in their place. Throws `FileLimitError` for a limit that is not a positive number. */
export function limitsOf(given: Partial<Limits> = {}): Limits {
  const limits: Record<string, number> = { ...DEFAULT_LIMITS };
  for (const [name, value] of Object.entries(given)) {
    if (!(name in DEFAULT_LIMITS)) {
      throw new FileLimitError(
        `There is no limit '${name}'; there are ${Object.keys(DEFAULT_LIMITS).join(', ')}.`,
      );
    }
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value > 0)) {
      throw new FileLimitError(`The limit ${name} must be a positive number, but is ${shown(value)}.`);
    }
    limits[name] = value;
  }
  return limits as unknown as Limits;
}

/** Throws `FileLimitError` when `value` is above the limit of that name. */
export function within(limits: Limits, name: keyof Limits, value: number, what: string): void {
  if (value <= limits[name]) return;
  throw new FileLimitError(
    `${what} would be ${value}, above the limit of ${limits[name]}. If the file can be trusted, set ${name} to more.`,
  );
}
