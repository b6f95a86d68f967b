// The settings of layers that are not plain values: types, activations, initializers, regularizers, constraints.

import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Context, refuse } from './context.ts';

/** What tf.layers calls an activation of Keras; undefined where it has none that does the same. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  ...{ linear: 'linear', relu: 'relu', relu6: 'relu6', elu: 'elu', selu: 'selu', sigmoid: 'sigmoid' },
  ...{ hard_sigmoid: 'hard_sigmoid', softplus: 'softplus', softsign: 'softsign', tanh: 'tanh' },
  ...{
    softmax: 'softmax',
    log_softmax: 'log_softmax',
    swish: 'swish',
    silu: 'swish',
    mish: 'mish',
    gelu: 'gelu',
  },
};

const INITIALIZERS: ReadonlySet<string> = new Set([
  ...['Zeros', 'Ones', 'Constant', 'RandomUniform', 'RandomNormal', 'TruncatedNormal'],
  ...[
    'VarianceScaling',
    'GlorotUniform',
    'GlorotNormal',
    'HeNormal',
    'HeUniform',
    'LeCunNormal',
    'LeCunUniform',
  ],
]);
const CONSTRAINTS: ReadonlySet<string> = new Set(['MaxNorm', 'UnitNorm', 'NonNeg', 'MinMaxNorm']);

/** Keras wraps objects as `{module, class_name, config, registered_name}`; tf.layers wants `{class_name, config}`. */
function unwrap(value: JsonObject): JsonObject {
  return { class_name: value.class_name ?? null, config: isObject(value.config) ? value.config : {} };
}

/** The type of a layer: a name, or a policy of mixed precision, of which tf.layers has only float32. */
export function rewriteDtype(value: Json | undefined, context: Context): string {
  const config = isObject(value) && isObject(value.config) ? value.config : undefined;
  const name = config ? config.name : value;
  if (typeof name !== 'string') return 'float32';
  if (['float32', 'int32', 'bool', 'string', 'complex64'].includes(name)) return name;
  if (/^(u?int|bool)/.test(name) && !/_from_/.test(name)) return 'int32';
  if (name !== 'float64')
    context.notes.add(`Layers of type ${name} compute in float32, which is all that tf.layers has.`);
  return 'float32';
}

/** The activation `key` of a layer's configuration. */
export function rewriteActivation(
  layer: JsonObject,
  config: JsonObject,
  key: string,
  context: Context,
): void {
  const value = config[key];
  if (value === undefined || value === null) return;
  // Functions that Keras knows are names; others are objects.
  const name = isObject(value) ? (value.registered_name ?? value.config ?? value.class_name) : value;
  const known = typeof name === 'string' ? ACTIVATIONS[name] : undefined;
  if (known === undefined || !Object.hasOwn(ACTIVATIONS, name as string)) {
    const advice =
      "Put a layer in its place that tf.layers has, such as LeakyReLU after activation='linear'.";
    refuse(layer, `has the ${key} ${JSON.stringify(name)}, which tf.layers lacks`, advice);
  }
  if (known === 'hard_sigmoid' && context.keras3) {
    const problem = `has the ${key} 'hard_sigmoid', which is x/6 + 1/2 in Keras 3 but x/5 + 1/2 in tf.layers`;
    refuse(layer, problem, "Train with 'sigmoid' instead.");
  }
  config[key] = known;
}

/**
 * Initializers matter to nothing that has its weights, so one that tf.layers lacks gives way to another. It has Orthogonal,
 * but takes minutes for it in recurrent layers inside others, where it runs it even when the weights come from a file.
 */
export function rewriteInitializer(config: JsonObject, key: string, context: Context): void {
  const value = config[key];
  if (!isObject(value)) return;
  const unwrapped = unwrap(value);
  const name = String(unwrapped.class_name).replace(/Initializer$/, '');
  const { distribution } = unwrapped.config as JsonObject;
  const drawn = ['normal', 'uniform', 'truncated_normal', undefined].includes(
    distribution as string | undefined,
  );
  if (INITIALIZERS.has(name) && drawn) {
    config[key] = { class_name: name, config: unwrapped.config! };
    return;
  }
  context.notes.add(
    `The initializer ${name}, which tf.layers lacks or is slow at, became Zeros: the weights come from the file.`,
  );
  config[key] = { class_name: 'Zeros', config: {} };
}

/** L1, L2 and L1L2 are one in tf.layers. */
export function rewriteRegularizer(layer: JsonObject, config: JsonObject, key: string): void {
  const value = config[key];
  if (!isObject(value)) return;
  const { class_name: name, config: given } = unwrap(value);
  if (name !== 'L1' && name !== 'L2' && name !== 'L1L2') {
    refuse(
      layer,
      `has the regularizer ${JSON.stringify(name)}, which tf.layers lacks`,
      'Take it off before saving.',
    );
  }
  const { l1 = 0, l2 = 0 } = given as JsonObject;
  config[key] = { class_name: 'L1L2', config: { l1, l2 } };
}

export function rewriteConstraint(layer: JsonObject, config: JsonObject, key: string): void {
  const value = config[key];
  if (!isObject(value)) return;
  const unwrapped = unwrap(value);
  if (!CONSTRAINTS.has(String(unwrapped.class_name))) {
    const problem = `has the constraint ${JSON.stringify(unwrapped.class_name)}, which tf.layers lacks`;
    refuse(layer, problem, 'Take it off before saving.');
  }
  config[key] = unwrapped;
}
