// The committed digit model, in plain JavaScript: the start page moves before anything that computes has been loaded.

import { fetchFile } from '../data/fetch-file.ts';
import { pageUrl } from '../data/page-url.ts';
import { DIGIT_MODEL_PATH } from '../network/digit-model-path.ts';

/** A 3x3 convolution without bias, batch normalization, ReLU and 2x2 max pooling. */
export interface Block {
  readonly inputs: number;
  readonly channels: number;
  /** 3 x 3 x inputs x channels. */
  readonly kernel: Float32Array;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  /** The statistics that the model stores. */
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

export interface PlainNetwork {
  readonly blocks: readonly Block[];
  /** Features x 10, and 10. */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** @throws (rejects) if its files cannot be fetched. */
export async function loadNetwork(): Promise<PlainNetwork> {
  const url = pageUrl(DIGIT_MODEL_PATH);
  const manifest = await (await fetchFile(url, 'trained model')).json();
  const [{ paths, weights }] = manifest.weightsManifest;
  const bytes = await (await fetchFile(new URL(paths[0], url), 'trained model')).arrayBuffer();
  return networkFrom(weights, bytes);
}

/** From the weights of a model's files, all of them float32, in the order of the manifest. */
export function networkFrom(specs: readonly WeightSpec[], bytes: ArrayBuffer): PlainNetwork {
  const found = new Map<string, { readonly shape: readonly number[]; readonly values: Float32Array }>();
  let at = 0;
  for (const { name, shape } of specs) {
    const size = shape.reduce((product, length) => product * length, 1);
    found.set(name, { shape, values: new Float32Array(bytes, at, size) });
    at += 4 * size;
  }
  const get = (name: string) => {
    const weight = found.get(name);
    if (weight === undefined) throw new Error(`The trained model has no weight '${name}'.`);
    return weight;
  };
  return {
    blocks: [1, 2, 3].map((number) => {
      const { shape, values } = get(`conv2d_Conv2D${number}/kernel`);
      return {
        inputs: shape[2] as number,
        channels: shape[3] as number,
        kernel: values,
        gamma: get(`bn${number}/gamma`).values,
        beta: get(`bn${number}/beta`).values,
        mean: get(`bn${number}/moving_mean`).values,
        variance: get(`bn${number}/moving_variance`).values,
      };
    }),
    kernel: get('dense_Dense1/kernel').values,
    bias: get('dense_Dense1/bias').values,
  };
}

export const EPSILON = 1e-3;

/** What goes into each batch normalization (height x width x channels), and the probabilities of the ten classes. */
export interface Forward {
  readonly normalized: readonly Float32Array[];
  readonly probabilities: Float64Array;
}

/** One digit through the network, on the statistics that it stores. @param pixels 28 x 28 gray values, 0 to 255. */
export function forward({ blocks, kernel, bias }: PlainNetwork, pixels: Uint8Array): Forward {
  let size = 28;
  let values: Float32Array = Float32Array.from(pixels, (value) => value / 255);
  const normalized: Float32Array[] = [];
  for (const block of blocks) {
    const input = convolve(values, size, block);
    normalized.push(input);
    values = normalizeAndPool(input, size, block);
    size = Math.floor(size / 2);
  }
  const logits = Float64Array.from(bias);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value === 0) continue;
    for (let c = 0; c < 10; c++) logits[c]! += value * (kernel[10 * i + c] as number);
  }
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return { normalized, probabilities: powers.map((power) => power / sum) };
}

function convolve(values: Float32Array, size: number, { inputs, channels, kernel }: Block): Float32Array {
  const result = new Float32Array(size * size * channels);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const to = (y * size + x) * channels;
      for (let dy = 0; dy < 3; dy++) {
        const row = y + dy - 1;
        if (row < 0 || row >= size) continue;
        for (let dx = 0; dx < 3; dx++) {
          const column = x + dx - 1;
          if (column < 0 || column >= size) continue;
          const from = (row * size + column) * inputs;
          for (let i = 0; i < inputs; i++) {
            const value = values[from + i] as number;
            // Most of a digit is black.
            if (value === 0) continue;
            const weights = ((dy * 3 + dx) * inputs + i) * channels;
            for (let c = 0; c < channels; c++) result[to + c]! += value * (kernel[weights + c] as number);
          }
        }
      }
    }
  }
  return result;
}

function normalizeAndPool(
  input: Float32Array,
  size: number,
  { channels, gamma, beta, mean, variance }: Block,
): Float32Array {
  const half = Math.floor(size / 2);
  // ReLU before the maximum, or as the least that it can be.
  const result = new Float32Array(half * half * channels);
  for (let c = 0; c < channels; c++) {
    const scale = (gamma[c] as number) / Math.sqrt((variance[c] as number) + EPSILON);
    const offset = (beta[c] as number) - (mean[c] as number) * scale;
    for (let y = 0; y < 2 * half; y++) {
      for (let x = 0; x < 2 * half; x++) {
        const value = (input[(y * size + x) * channels + c] as number) * scale + offset;
        const to = (Math.floor(y / 2) * half + Math.floor(x / 2)) * channels + c;
        if (value > (result[to] as number)) result[to] = value;
      }
    }
  }
  return result;
}
