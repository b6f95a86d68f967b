// What each layer of tf.layers has to know of the layer of the same name in Keras: its weights, and what differs.

import { isObject, type JsonObject } from '../json.ts';
import { type Context, refuse } from './context.ts';

/** A layer that Keras and tf.layers both have. */
export interface LayerKind {
  /** The names that tf.layers gives its weights, in the order of Keras: those trained, and those that only follow. */
  readonly weights?: (config: JsonObject) => { trained: string[]; followed?: string[] };
  /** Where Keras 3 keeps them below the layer's own group, such as in its cell. */
  readonly group?: string;
  /** Changes the configuration into that of tf.layers, or refuses what that cannot do. */
  readonly rewrite?: (layer: JsonObject, config: JsonObject, context: Context) => void;
}

const unless = (config: JsonObject, key: string, ...names: string[]) => (config[key] === false ? [] : names);

const kernelAndBias = (kernel: string) => (config: JsonObject) => ({
  trained: [kernel, ...unless(config, 'use_bias', 'bias')],
});
const scaleAndShift = (config: JsonObject) => [
  ...unless(config, 'scale', 'gamma'),
  ...unless(config, 'center', 'beta'),
];

/** Refuses a setting other than what tf.layers does without being asked. */
function only(key: string, allowed: readonly unknown[], advice: string): NonNullable<LayerKind['rewrite']> {
  return (layer, config) => {
    const value = config[key];
    // Keras writes numbers per axis as lists.
    const values = Array.isArray(value) ? value : [value];
    if (value === undefined || value === null || values.every((one) => allowed.includes(one))) return;
    refuse(layer, `has ${key} = ${JSON.stringify(value)}, which tf.layers does not do`, advice);
  };
}

const all =
  (...rewrites: NonNullable<LayerKind['rewrite']>[]): NonNullable<LayerKind['rewrite']> =>
  (layer, config, context) => {
    for (const rewrite of rewrites) rewrite(layer, config, context);
  };

const plain: LayerKind = {};
const convolution: LayerKind = {
  weights: kernelAndBias('kernel'),
  rewrite: all(
    only('groups', [1], 'Use as many convolutions as there are groups.'),
    only('padding', ['valid', 'same'], 'Pad the input by a layer of its own.'),
  ),
};
const undilated = only('dilation_rate', [1], 'Use dilation_rate=1.');
const transposed: LayerKind = {
  weights: kernelAndBias('kernel'),
  rewrite: all(undilated, only('output_padding', [], 'Leave it out, and crop or pad the output.')),
};
const globalPooling: LayerKind = {
  rewrite: only('keepdims', [false], 'Use keepdims=False and a Reshape layer.'),
};
const recurrent: LayerKind = {
  weights: (config) => ({ trained: ['kernel', 'recurrent_kernel', ...unless(config, 'use_bias', 'bias')] }),
  group: 'cell',
  rewrite: only('time_major', [false], 'Use time_major=False.'),
};
const resetAfter = only('reset_after', [false], 'Train with reset_after=False.');
const cell: LayerKind = { weights: recurrent.weights! };
const gruCell: LayerKind = { weights: cell.weights!, rewrite: resetAfter };
const gru: LayerKind = { ...recurrent, rewrite: all(recurrent.rewrite!, resetAfter) };

/** Keras 3's ReLU has a slope and a threshold, for which tf.layers has layers of their own. */
function rewriteReLU(layer: JsonObject, config: JsonObject): void {
  const { negative_slope: slope, threshold } = config;
  if (typeof threshold === 'number' && threshold !== 0) {
    refuse(layer, `has threshold = ${threshold}, which tf.layers' ReLU lacks`, 'Use ThresholdedReLU.');
  }
  if (typeof slope !== 'number' || slope === 0) return;
  if (typeof config.max_value === 'number') {
    refuse(layer, 'has both a slope and a largest value, which tf.layers lacks', 'Use one of them.');
  }
  layer.class_name = 'LeakyReLU';
  config.alpha = slope;
}

function rewriteBatchNormalization(layer: JsonObject, config: JsonObject, context: Context): void {
  // TensorFlow has written the axis as a list of one.
  if (Array.isArray(config.axis) && config.axis.length === 1) config.axis = config.axis[0]!;
  if (config.renorm === true) {
    const advice =
      'Batch renormalization is part of the training; at inference it is ordinary: save it with renorm=False.';
    refuse(layer, 'has renorm = true, which nothing here computes', advice);
  }
  const { class_name: original } = layer;
  layer.class_name = 'BatchNormalization';
  if (original === SYNC || original === EXPERIMENTAL_SYNC) config.synchronized = true;
  else if (original !== 'BatchNormalization')
    context.notes.add(`'${String(config.name)}' was of class ${String(original)}.`);
  if (config.synchronized === true) {
    context.notes.add(
      `'${String(config.name)}' was synchronized in training: tf.layers normalizes each batch by itself (its configuration keeps synchronized: true).`,
    );
  }
  if (typeof config.virtual_batch_size === 'number') {
    context.notes.add(
      `'${String(config.name)}' was trained in virtual batches of ${config.virtual_batch_size}: tf.layers takes the whole batch (its configuration keeps virtual_batch_size).`,
    );
  }
}

const SYNC = 'SyncBatchNormalization';
/** Its name while it was an experiment. */
const EXPERIMENTAL_SYNC = 'experimental>SyncBatchNormalization';

const batchNormalization: LayerKind = {
  weights: (config) => ({ trained: scaleAndShift(config), followed: ['moving_mean', 'moving_variance'] }),
  rewrite: rewriteBatchNormalization,
};

/** By Keras's class name. A layer that is not here, tf.layers lacks. */
export const LAYERS: ReadonlyMap<string, LayerKind> = new Map<string, LayerKind>([
  ...['InputLayer', 'ThresholdedReLU', 'Dropout', 'SpatialDropout1D', 'Flatten'].map(named(plain)),
  ...['Activation', 'RepeatVector', 'Reshape', 'Permute', 'Masking', 'Cropping2D'].map(named(plain)),
  ...['ZeroPadding2D', 'Add', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Concatenate', 'Dot'].map(
    named(plain),
  ),
  ...['GaussianNoise', 'GaussianDropout', 'AlphaDropout', 'CenterCrop', 'CategoryEncoding'].map(named(plain)),
  ...['RandomWidth', 'MaxPooling1D', 'AveragePooling1D', 'MaxPooling2D', 'AveragePooling2D'].map(
    named(plain),
  ),
  ...['MaxPooling3D', 'AveragePooling3D'].map(named(plain)),
  ...['GlobalAveragePooling1D', 'GlobalMaxPooling1D'].map(named(globalPooling)),
  ...['GlobalAveragePooling2D', 'GlobalMaxPooling2D'].map(named(globalPooling)),
  ...['Conv1D', 'Conv2D', 'Conv3D'].map(named(convolution)),
  ...['Conv2DTranspose', 'Conv3DTranspose'].map(named(transposed)),
  ...['BatchNormalization', 'BatchNormalizationV1', 'BatchNormalizationV2'].map(named(batchNormalization)),
  [SYNC, batchNormalization],
  [EXPERIMENTAL_SYNC, batchNormalization],
  ['Dense', { weights: kernelAndBias('kernel') }],
  ['DepthwiseConv2D', { weights: kernelAndBias('depthwise_kernel'), rewrite: undilated }],
  ['ELU', { rewrite: only('alpha', [1], 'Use alpha=1.') }],
  // tf.layers interpolates between other points than Keras does.
  ['UpSampling2D', { rewrite: only('interpolation', ['nearest'], "Use 'nearest', or Conv2DTranspose.") }],
  [
    'SeparableConv2D',
    {
      weights: (config) => ({
        trained: ['depthwise_kernel', 'pointwise_kernel', ...unless(config, 'use_bias', 'bias')],
      }),
    },
  ],
  ['Embedding', { weights: () => ({ trained: ['embeddings'] }) }],
  ['PReLU', { weights: () => ({ trained: ['alpha'] }) }],
  ['ReLU', { rewrite: rewriteReLU }],
  [
    'LeakyReLU',
    {
      rewrite: (_, config) => {
        if (typeof config.negative_slope === 'number') config.alpha = config.negative_slope;
      },
    },
  ],
  ['Softmax', { rewrite: (layer, config) => softmaxAxis(layer, config) }],
  [
    'LayerNormalization',
    {
      weights: (config) => ({ trained: scaleAndShift(config) }),
      rewrite: only('rms_scaling', [false], 'Use rms_scaling=False.'),
    },
  ],
  ['Rescaling', { rewrite: (layer, config) => scalars(layer, config, ['scale', 'offset']) }],
  ...['LSTM', 'SimpleRNN', 'ConvLSTM2D'].map(named(recurrent)),
  ['GRU', gru],
  ...['LSTMCell', 'SimpleRNNCell', 'ConvLSTM2DCell'].map(named(cell)),
  ['GRUCell', gruCell],
]);

function named(kind: LayerKind): (name: string) => [string, LayerKind] {
  return (name) => [name, kind];
}

function softmaxAxis(layer: JsonObject, config: JsonObject): void {
  if (!Array.isArray(config.axis)) return;
  if (config.axis.length !== 1) refuse(layer, 'is a softmax over several axes', 'Flatten them first.');
  config.axis = config.axis[0]!;
}

function scalars(layer: JsonObject, config: JsonObject, keys: readonly string[]): void {
  for (const key of keys) {
    const value = config[key];
    if (Array.isArray(value) || isObject(value)) {
      refuse(
        layer,
        `has one ${key} per channel, where tf.layers has one for all`,
        'Scale the images yourself.',
      );
    }
  }
}

/** What to do without a layer, where there is more to say than that it is lacking. */
export const INSTEAD: Readonly<Record<string, string>> = {
  Lambda:
    'Write it as a layer of your own that is registered with TensorFlow.js, and name it in customLayers.',
  Normalization: 'Normalize the inputs before the model, or fold mean and variance into a Rescaling layer.',
  Subtract: 'Use Add after a Rescaling(-1) layer.',
  Identity: "Use Activation('linear').",
  GroupNormalization: 'Use LayerNormalization or BatchNormalization.',
  GlobalAveragePooling3D: 'Use AveragePooling3D over the whole volume and Flatten.',
  SpatialDropout2D: 'It does nothing at inference: leave it out, or use Dropout.',
  SeparableConv1D: 'Use Conv1D with depthwise kernels unrolled, or SeparableConv2D on [steps, 1].',
  UpSampling1D: 'Reshape to [steps, 1, channels] and use UpSampling2D.',
  ZeroPadding1D: 'Reshape to [steps, 1, channels] and use ZeroPadding2D.',
  Cropping1D: 'Reshape to [steps, 1, channels] and use Cropping2D.',
  TFOpLambda: 'It is a TensorFlow function called on a Keras tensor: use a layer that does the same.',
  SlicingOpLambda: 'It is a slice of a Keras tensor: use a layer that does the same, such as Cropping2D.',
};
