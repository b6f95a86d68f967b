// Every layer of tf.layers in a few small settings, and what each is applied to.
import * as tfl from '@tensorflow/tfjs-layers';

const L = tfl.layers;
type Symbol = tfl.SymbolicTensor;

export interface LayerCase {
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly build: (x: Symbol) => Symbol;
  /** What it takes: whole numbers below 5, or the model's inputs as they are; either way no gradient is asked for. */
  readonly takes?: 'indices' | 'inputs';
  /** What TensorFlow.js says where it cannot train such a layer, on any backend. */
  readonly refused?: RegExp;
  /** The layer's values are random, so that two backends differ. */
  readonly random?: boolean;
}

const on =
  (...shape: number[]) =>
  (...layers: (() => tfl.layers.Layer)[]): LayerCase => ({
    shape,
    build: (x) => layers.reduce((y, make) => make().apply(y) as Symbol, x),
  });
const sequences = on(6, 3);
const images = on(6, 5, 3);
const volumes = on(4, 4, 4, 2);
const vectors = on(6);

/** Two inputs of one shape, by the layer that merges them. */
const merged = (make: () => tfl.layers.Layer): LayerCase => ({
  shape: [4],
  build: (x) => make().apply([x, L.dense({ units: 4 }).apply(x) as Symbol]) as Symbol,
});

const activations = [
  ...['elu', 'gelu', 'gelu_new', 'hardSigmoid', 'linear', 'logSoftmax', 'mish', 'relu', 'relu6', 'selu'],
  ...['sigmoid', 'softmax', 'softplus', 'softsign', 'swish', 'tanh'],
];

// The default, 'orthogonal', calls methods of tensors that only the package @tensorflow/tfjs adds.
const recurrentInitializer = 'glorotUniform';
const cell = { units: 2, recurrentInitializer } as const;
const convolved = { filters: 2, recurrentInitializer } as const;

/** A recurrent layer: its last output, all of them, and with padded steps. */
const recurrent = (make: (more: { returnSequences?: boolean }) => tfl.layers.Layer) => [
  sequences(() => make({})),
  sequences(() => make({ returnSequences: true })),
  {
    ...sequences(
      () => L.masking({ maskValue: 0 }),
      () => make({}),
    ),
    takes: 'inputs' as const,
  },
];

export const LAYER_CASES: Readonly<Record<string, readonly LayerCase[]>> = {
  activation: activations.map((activation) =>
    vectors(() => L.activation({ activation: activation as 'relu' })),
  ),
  elu: [vectors(() => L.elu())],
  leakyReLU: [vectors(() => L.leakyReLU())],
  prelu: [
    images(() => L.prelu()),
    images(() => L.prelu({ sharedAxes: [1, 2] })),
    images(() => L.prelu({ sharedAxes: [3] })),
  ],
  reLU: [vectors(() => L.reLU()), vectors(() => L.reLU({ maxValue: 1 }))],
  softmax: [vectors(() => L.softmax())],
  thresholdedReLU: [{ ...vectors(() => L.thresholdedReLU()), refused: /not found for Greater/ }],

  dense: [
    vectors(() => L.dense({ units: 3 })),
    vectors(() => L.dense({ units: 3, activation: 'relu', useBias: false })),
    sequences(() => L.dense({ units: 4, activation: 'tanh' })),
    vectors(() =>
      L.dense({ units: 3, kernelRegularizer: 'l1l2', kernelConstraint: 'maxNorm', biasConstraint: 'nonNeg' }),
    ),
  ],
  conv1d: [
    sequences(() => L.conv1d({ filters: 2, kernelSize: 3 })),
    sequences(() => L.conv1d({ filters: 2, kernelSize: 2, strides: 2, padding: 'same', activation: 'relu' })),
    sequences(() => L.conv1d({ filters: 2, kernelSize: 2, dilationRate: 2 })),
  ],
  conv2d: [
    images(() => L.conv2d({ filters: 4, kernelSize: 3 })),
    images(() => L.conv2d({ filters: 2, kernelSize: 2, strides: 2, padding: 'same', activation: 'relu' })),
    images(() => L.conv2d({ filters: 2, kernelSize: 2, strides: 3, padding: 'same' })),
    images(() => L.conv2d({ filters: 2, kernelSize: 3, dilationRate: 2 })),
    images(() =>
      L.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2, activation: 'elu', padding: 'same' }),
    ),
    images(() => L.conv2d({ filters: 2, kernelSize: 3, dataFormat: 'channelsFirst' })),
  ],
  conv2dTranspose: [
    images(() => L.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' })),
    images(() => L.conv2dTranspose({ filters: 2, kernelSize: 2 })),
  ],
  conv3d: [
    volumes(() => L.conv3d({ filters: 2, kernelSize: 2 })),
    volumes(() => L.conv3d({ filters: 2, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' })),
    volumes(() => L.conv3d({ filters: 2, kernelSize: 1, strides: 2, padding: 'same' })),
  ],
  conv3dTranspose: [
    volumes(() => L.conv3dTranspose({ filters: 2, kernelSize: 2 })),
    volumes(() => L.conv3dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' })),
  ],
  depthwiseConv2d: [
    images(() => L.depthwiseConv2d({ kernelSize: 3 })),
    images(() =>
      L.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, padding: 'same', activation: 'relu' }),
    ),
    images(() => L.depthwiseConv2d({ kernelSize: 2, dilationRate: 2 })),
  ],
  separableConv2d: [
    images(() => L.separableConv2d({ filters: 4, kernelSize: 3 })),
    images(() => L.separableConv2d({ filters: 4, kernelSize: 2, dilationRate: 2, padding: 'same' })),
  ],
  cropping2D: [
    images(() =>
      L.cropping2D({
        cropping: [
          [1, 1],
          [1, 0],
        ],
      }),
    ),
  ],
  upSampling2d: [
    images(() => L.upSampling2d({ size: [2, 2] })),
    images(() => L.upSampling2d({ size: [2, 3], interpolation: 'bilinear' })),
  ],
  zeroPadding2d: [
    images(() =>
      L.zeroPadding2d({
        padding: [
          [1, 2],
          [0, 1],
        ],
      }),
    ),
  ],

  averagePooling1d: [sequences(() => L.averagePooling1d({ poolSize: 2 }))],
  averagePooling2d: [
    images(() => L.averagePooling2d({ poolSize: 2 })),
    images(() => L.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  ],
  averagePooling3d: [
    volumes(() => L.averagePooling3d({ poolSize: 2 })),
    volumes(() => L.averagePooling3d({ poolSize: 3, strides: 2, padding: 'same' })),
  ],
  globalAveragePooling1d: [sequences(() => L.globalAveragePooling1d({}))],
  globalAveragePooling2d: [images(() => L.globalAveragePooling2d({}))],
  globalMaxPooling1d: [sequences(() => L.globalMaxPooling1d({}))],
  globalMaxPooling2d: [images(() => L.globalMaxPooling2d({}))],
  maxPooling1d: [sequences(() => L.maxPooling1d({ poolSize: 2 }))],
  maxPooling2d: [
    images(() => L.maxPooling2d({ poolSize: 2 })),
    images(() => L.maxPooling2d({ poolSize: 3, strides: 1, padding: 'same' })),
  ],
  maxPooling3d: [
    volumes(() => L.maxPooling3d({ poolSize: 2 })),
    volumes(() => L.maxPooling3d({ poolSize: [3, 2, 1], strides: 1, padding: 'same' })),
  ],

  batchNormalization: [
    vectors(() => L.batchNormalization({})),
    images(() => L.batchNormalization({})),
    { ...images(() => L.batchNormalization({ center: false })), refused: /reading 'read'/ },
    { ...images(() => L.batchNormalization({ scale: false })), refused: /reading 'read'/ },
  ],
  layerNormalization: [
    vectors(() => L.layerNormalization({})),
    images(() => L.layerNormalization({ axis: -1 })),
  ],

  add: [merged(() => L.add())],
  average: [merged(() => L.average())],
  concatenate: [merged(() => L.concatenate())],
  dot: [merged(() => L.dot({ axes: 1 })), merged(() => L.dot({ axes: 1, normalize: true }))],
  maximum: [merged(() => L.maximum())],
  minimum: [merged(() => L.minimum())],
  multiply: [merged(() => L.multiply())],

  flatten: [images(() => L.flatten()), images(() => L.flatten({ dataFormat: 'channelsFirst' }))],
  masking: [
    { ...sequences(() => L.masking({ maskValue: 0 })), takes: 'inputs' },
    { ...sequences(() => L.masking({ maskValue: 0 })), refused: /not found for Any/ },
  ],
  permute: [images(() => L.permute({ dims: [3, 1, 2] }))],
  repeatVector: [vectors(() => L.repeatVector({ n: 3 }))],
  reshape: [images(() => L.reshape({ targetShape: [10, 9] }))],
  rescaling: [images(() => L.rescaling({ scale: 0.5, offset: 1 }))],
  categoryEncoding: [
    { ...on(5)(() => L.categoryEncoding({ numTokens: 5, outputMode: 'multiHot' })), takes: 'indices' },
    { ...on(5)(() => L.categoryEncoding({ numTokens: 5, outputMode: 'count' })), takes: 'indices' },
  ],
  embedding: [
    { ...on(4)(() => L.embedding({ inputDim: 5, outputDim: 3 })), takes: 'indices' },
    {
      ...on(4)(
        () => L.embedding({ inputDim: 5, outputDim: 3, maskZero: true }),
        () => L.lstm(cell),
      ),
      takes: 'indices',
    },
  ],

  alphaDropout: [{ ...vectors(() => L.alphaDropout({ rate: 0.3 })), random: true }],
  dropout: [
    { ...vectors(() => L.dropout({ rate: 0.3 })), random: true },
    vectors(() => L.dropout({ rate: 0.3, seed: 3 })),
  ],
  gaussianDropout: [{ ...vectors(() => L.gaussianDropout({ rate: 0.3 })), random: true }],
  gaussianNoise: [{ ...vectors(() => L.gaussianNoise({ stddev: 0.1 })), random: true }],
  spatialDropout1d: [sequences(() => L.spatialDropout1d({ rate: 0.3, seed: 5 }))],

  gru: [
    ...recurrent((more) => L.gru({ ...cell, ...more })),
    sequences(() => L.gru({ ...cell, implementation: 2 })),
  ],
  lstm: recurrent((more) => L.lstm({ ...cell, ...more })),
  simpleRNN: recurrent((more) => L.simpleRNN({ ...cell, ...more })),
  convLstm2d: [
    on(3, 5, 4, 2)(() => L.convLstm2d({ ...convolved, kernelSize: 3 })),
    on(
      3,
      5,
      4,
      2,
    )(() => L.convLstm2d({ ...convolved, kernelSize: 2, padding: 'same', returnSequences: true })),
    on(3, 5, 4, 2)(() => L.convLstm2d({ ...convolved, kernelSize: 2, dilationRate: 2 })),
  ],
  bidirectional: [sequences(() => L.bidirectional({ layer: L.lstm(cell) as never, mergeMode: 'concat' }))],
  timeDistributed: [
    sequences(() => L.timeDistributed({ layer: L.dense({ units: 2 }) })),
    on(
      3,
      5,
      4,
      2,
    )(() => L.timeDistributed({ layer: L.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2 }) })),
  ],
  rnn: [sequences(() => L.rnn({ cell: L.lstmCell(cell) as never }))],
};

/** The same for layers that forget the batch axis in the shape that they announce, so that no model can be built on them. */
export const LAYERS_OF_NO_MODEL: readonly string[] = ['centerCrop', 'randomWidth', 'resizing'];

/** Other names of the same layers; cells, which `rnn` and `convLstm2d` train; and what computes nothing. */
export const NOT_LISTED: readonly string[] = [
  ...['avgPool1d', 'avgPool2d', 'avgPool3d', 'avgPooling1d', 'avgPooling2d', 'avgPooling3d'],
  ...['globalMaxPool1d', 'globalMaxPool2d', 'maxPool1d', 'maxPool2d'],
  ...['convLstm2dCell', 'gruCell', 'lstmCell', 'simpleRNNCell', 'stackedRNNCells'],
  ...['Layer', 'RNN', 'RNNCell', 'input', 'inputLayer'],
];
