// A tf.layers network computed by plain float64 loops, layer by layer: what sites must see and graphs must give.
import type * as tfl from '@tensorflow/tfjs-layers';

/** Values of shape [samples, height, width, channels], or [samples, channels]. */
export interface Values {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** Normalizes a batch norm's output once more, as a site's stored statistics do: (y - mean) / sqrt(variance). */
export type Stored = Readonly<
  Record<string, { readonly mean: ArrayLike<number>; readonly variance: ArrayLike<number> }>
>;

type Layer = tfl.layers.Layer;

/** The output of every layer, by its name. @param stored statistics by the names of the layers whose outputs they normalize. */
export function float64Outputs(model: tfl.LayersModel, x: Values, stored: Stored = {}): Map<string, Values> {
  const outputs = new Map<string, Values>();
  for (const layer of model.layers) {
    const inputs = ((layer.inboundNodes[0]?.inboundLayers ?? []) as Layer[]).map(
      ({ name }) => outputs.get(name)!,
    );
    const y = inputs.length === 0 ? x : compute(layer, inputs);
    outputs.set(layer.name, normalizedBy(stored[layer.name], y));
  }
  return outputs;
}

function normalizedBy(statistics: Stored[string] | undefined, y: Values): Values {
  if (statistics === undefined) return y;
  return perChannel(y, (value, c) => (value - statistics.mean[c]!) / Math.sqrt(statistics.variance[c]!));
}

function compute(layer: Layer, inputs: Values[]): Values {
  const [x] = inputs as [Values];
  const config = layer.getConfig();
  const weight = (name: string) =>
    layer.weights
      .find(({ originalName }) => originalName.endsWith(`/${name}`))
      ?.read()
      .dataSync<'float32'>();
  const bias = weight('bias');
  const biased = (y: Values) =>
    activated(config.activation as string, bias ? perChannel(y, (v, c) => v + bias[c]!) : y);
  switch (layer.getClassName()) {
    case 'Conv2D':
      return biased(convolution(layer, x, weight('kernel')!, false));
    case 'DepthwiseConv2D':
      return biased(convolution(layer, x, weight('depthwise_kernel')!, true));
    case 'Dense':
      return biased(product(x, weight('kernel')!, config.units as number));
    case 'BatchNormalization': {
      const [mean, variance] = [weight('moving_mean')!, weight('moving_variance')!];
      const [gamma, beta] = [weight('gamma'), weight('beta')];
      const epsilon = config.epsilon as number;
      return perChannel(
        x,
        (v, c) => ((v - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * (gamma?.[c] ?? 1) + (beta?.[c] ?? 0),
      );
    }
    case 'Add':
      return { shape: x.shape, values: x.values.map((value, at) => value + inputs[1]!.values[at]!) };
    case 'GlobalAveragePooling2D':
      return pooled(x);
    case 'ReLU':
      return activated(config.maxValue === 6 ? 'relu6' : 'relu', x);
    case 'ELU':
      return activated('elu', x);
    case 'Activation':
      return activated(config.activation as string, x);
    case 'LeakyReLU':
      return perChannel(x, (v) => (v >= 0 ? v : v * (config.alpha as number)));
    case 'PReLU': {
      const slopes = weight('alpha')!;
      return perChannel(x, (v, c) => (v >= 0 ? v : v * slopes[c]!));
    }
    default:
      throw new Error(`no float64 reference for ${layer.getClassName()}`);
  }
}

function perChannel({ shape, values }: Values, f: (value: number, channel: number) => number): Values {
  const channels = shape.at(-1)!;
  return { shape, values: values.map((value, at) => f(value, at % channels)) };
}

const ACTIVATIONS: Readonly<Record<string, (value: number) => number>> = {
  linear: (v) => v,
  relu: (v) => Math.max(0, v),
  relu6: (v) => Math.min(6, Math.max(0, v)),
  elu: (v) => (v >= 0 ? v : Math.expm1(v)),
  sigmoid: (v) => 1 / (1 + Math.exp(-v)),
  tanh: Math.tanh,
};

function activated(name: string, x: Values): Values {
  return perChannel(x, ACTIVATIONS[name ?? 'linear']!);
}

function product({ shape, values }: Values, kernel: ArrayLike<number>, units: number): Values {
  const [rows, inputs] = shape as [number, number];
  const y = new Float64Array(rows * units);
  for (let row = 0; row < rows; row++)
    for (let unit = 0; unit < units; unit++)
      for (let i = 0; i < inputs; i++)
        y[row * units + unit]! += values[row * inputs + i]! * kernel[i * units + unit]!;
  return { shape: [rows, units], values: y };
}

function pooled({ shape, values }: Values): Values {
  const [samples, height, width, channels] = shape as [number, number, number, number];
  const y = new Float64Array(samples * channels);
  values.forEach((value, at) => {
    const sample = Math.floor(at / (height * width * channels));
    y[sample * channels + (at % channels)]! += value / (height * width);
  });
  return { shape: [samples, channels], values: y };
}

/** Any stride, padding 'same' or 'valid'. */
function convolution(
  layer: Layer,
  { shape, values }: Values,
  kernel: ArrayLike<number>,
  depthwise: boolean,
): Values {
  const { padding, strides } = layer.getConfig();
  const [stride] = [strides as number | number[]].flat();
  const kernelShape = layer.weights[0]!.shape as [number, number, number, number];
  const [kh, kw, , last] = kernelShape;
  const [samples, height, width, channels] = shape as [number, number, number, number];
  const filters = depthwise ? channels * last : last;
  const out = (size: number, k: number) =>
    padding === 'same' ? Math.ceil(size / stride!) : Math.floor((size - k) / stride!) + 1;
  const [oh, ow] = [out(height, kh), out(width, kw)];
  const before = (o: number, k: number, size: number) =>
    padding === 'same' ? Math.floor(Math.max(0, (o - 1) * stride! + k - size) / 2) : 0;
  const [top, left] = [before(oh, kh, height), before(ow, kw, width)];
  const y = new Float64Array(samples * oh * ow * filters);
  const each = (at: number, n: number, r: number, c: number, filter: number) => {
    for (let i = 0; i < kh; i++) {
      for (let j = 0; j < kw; j++) {
        const [row, column] = [r * stride! + i - top, c * stride! + j - left];
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        const pixel = ((n * height + row) * width + column) * channels;
        if (depthwise) {
          y[at]! += values[pixel + Math.floor(filter / last)]! * kernel[(i * kw + j) * filters + filter]!;
        } else {
          for (let input = 0; input < channels; input++)
            y[at]! += values[pixel + input]! * kernel[((i * kw + j) * channels + input) * filters + filter]!;
        }
      }
    }
  };
  let at = 0;
  for (let n = 0; n < samples; n++)
    for (let r = 0; r < oh; r++)
      for (let c = 0; c < ow; c++)
        for (let filter = 0; filter < filters; filter++) each(at++, n, r, c, filter);
  return { shape: [samples, oh, ow, filters], values: y };
}
