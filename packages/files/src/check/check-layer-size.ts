import { MalformedFileError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { type Limits, within } from '../limits.ts';

/** Settings that some weight has as a dimension. */
const OF_WEIGHTS: ReadonlySet<string> = new Set(['units', 'filters', 'input_dim', 'output_dim']);
const WITH_WEIGHTS =
  /^(Dense|Embedding|(Separable)?Conv\dD(Transpose)?|(LSTM|GRU|SimpleRNN|ConvLSTM2D)(Cell)?)$/;
/** Settings that make an activation larger, or that a loop runs over. */
const OF_ACTIVATIONS: ReadonlySet<string> = new Set([
  ...[
    'n',
    'target_shape',
    'size',
    'padding',
    'cropping',
    'height',
    'width',
    'num_tokens',
    'depth_multiplier',
  ],
  ...['kernel_size', 'pool_size', 'strides', 'dilation_rate'],
]);

/**
 * Checks the numbers of a layer's configuration that say how large something is. tf.layers makes a tensor of that size
 * before it looks at the weights, so a few bytes of JSON could take all memory.
 */
export function checkLayerSize(
  name: string,
  className: string,
  config: JsonObject,
  limits: Limits,
  largest: number,
): void {
  const what = `the layer '${name}' (${className})`;
  for (const key of ['batch_input_shape', 'batch_shape', 'input_shape'])
    checkInput(config[key], key, what, limits);
  for (const [key, value] of Object.entries(config)) {
    const ofWeights = OF_WEIGHTS.has(key);
    if (!ofWeights && !OF_ACTIVATIONS.has(key)) continue;
    const product = productOf(value);
    // `padding` is a word for convolutions.
    if (product === undefined) continue;
    if (!Number.isFinite(product)) throw new MalformedFileError(`'${key}' of ${what} is not a number.`);
    // With weights at hand, they say how large it may be.
    if (ofWeights && WITH_WEIGHTS.test(className) && largest !== Number.POSITIVE_INFINITY) {
      if (product <= largest) continue;
      throw new MalformedFileError(
        `${what} has ${key} = ${product}, but no weight has a dimension larger than ${largest}.`,
      );
    }
    within(limits, 'maxLayerSize', product, `'${key}' of ${what}`);
  }
}

function checkInput(shape: Json | undefined, key: string, what: string, limits: Limits): void {
  if (shape === undefined || shape === null) return;
  const good = (size: Json) => size === null || (Number.isSafeInteger(size) && (size as number) >= 0);
  if (!Array.isArray(shape) || !shape.every(good) || shape.length > 8) {
    throw new MalformedFileError(
      `'${key}' of ${what} should be a list of at most 8 numbers or null, but is ${JSON.stringify(shape)?.slice(0, 80)}.`,
    );
  }
  const values = (shape as (number | null)[]).reduce<number>((a, b) => a * Math.max(b ?? 1, 1), 1);
  within(limits, 'maxInputValues', values, `The number of values of '${key}' of ${what}`);
}

/** The product of all numbers in a value, at least 1 each; undefined when there is none. */
function productOf(value: Json): number | undefined {
  if (typeof value === 'number') return Math.max(1, Math.abs(value));
  if (!Array.isArray(value)) return undefined;
  const products = value.flatMap((item) => productOf(item) ?? []);
  return products.length === 0 ? undefined : products.reduce((a, b) => a * b, 1);
}
