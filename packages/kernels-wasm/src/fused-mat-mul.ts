// tf.fused.matMul with a bias, of batches of matrices or of transposed ones. Upstream adds the bias right to the first rows of the
// result, and the last value of it to all others. The product is its own; what follows the product is done here.
import { type BackendKernel, sizeOf, UnsupportedBackendError } from '@rebatch/core/kernels';
import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, checked, valuesOf } from './backend.ts';
import { placesOf } from './broadcast.ts';

const NAME = '_FusedMatMul';

interface FusedAttributes {
  readonly activation?: string;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly leakyreluAlpha?: number;
}

const sloped = (value: number, slope: number) => (value < 0 ? value * slope : value);

/** As upstream computes them. slope: of what is below 0, for those that have one. */
const ACTIVATIONS: Readonly<Record<string, (value: number, slope: number) => number>> = {
  linear: (value) => value,
  relu: (value) => Math.max(0, value),
  relu6: (value) => Math.min(Math.max(0, value), 6),
  elu: (value) => (value >= 0 ? value : Math.expm1(value)),
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  leakyrelu: sloped,
  prelu: sloped,
};

/** inputs {a: [batch, rows, depth], b: [batch, depth, columns], bias: [columns] or [1]} -> [batch, rows, columns]. */
export const fusedMatMul: BackendKernel = {
  kernelName: NAME,
  kernelFunc: (call, upstream) => {
    const backend = checked(call.backend);
    if (upstream === undefined) {
      throw new UnsupportedBackendError(
        `@rebatch/kernels-wasm: expected a WASM backend with a kernel ${NAME}, which this one lacks.`,
      );
    }
    const { a, b, bias, preluActivationWeights: slopes } = call.inputs as Record<string, TensorInfo>;
    const attributes = (call.attrs ?? {}) as FusedAttributes;
    const attrs = { ...attributes, activation: 'linear' } as unknown as NamedAttrMap;
    const product = upstream({ ...call, inputs: { a: a!, b: b! }, attrs }) as TensorInfo;
    const { activation = 'linear', leakyreluAlpha = 0 } = attributes;
    const activate = ACTIVATIONS[activation]!;
    const places = activation === 'prelu' ? placesOf(slopes!.shape, product.shape) : undefined;
    const slopesFrom = addressOf(backend, slopes) / 4;
    const memory = valuesOf(backend);
    const [from, to] = [addressOf(backend, bias) / 4, addressOf(backend, product) / 4];
    const [size, columns] = [sizeOf(product.shape), sizeOf(bias!.shape)];
    for (let i = 0; i < size; i++) {
      const slope = places === undefined ? leakyreluAlpha : memory[slopesFrom + places[i]!]!;
      memory[to + i] = activate(memory[to + i]! + memory[from + (i % columns)]!, slope);
    }
    return product;
  },
  leaves: (attributes, { a, b, bias }) => {
    const { activation = 'linear', transposeA = false, transposeB = false } = attributes as FusedAttributes;
    if (bias === undefined || bias.shape.length !== 1 || !Object.hasOwn(ACTIVATIONS, activation)) return true;
    if (transposeA || transposeB) return false;
    return [a, b].every((matrices) => sizeOf(matrices?.shape.slice(0, -2) ?? []) === 1);
  },
};
