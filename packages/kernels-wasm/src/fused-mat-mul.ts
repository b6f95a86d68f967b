// tf.fused.matMul of batches of matrices with a bias. Upstream adds the bias right to the first rows of the result, and the
// last value of it to all others. The product is its own; what follows the product is done here.
import { type BackendKernel, sizeOf, UnsupportedBackendError } from '@rebatch/core/kernels';
import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, checked, valuesOf } from './backend.ts';

const NAME = '_FusedMatMul';

interface FusedAttributes {
  readonly activation?: string;
}

/** As upstream computes them; the others are left to it. */
const ACTIVATIONS: Readonly<Record<string, (value: number) => number>> = {
  linear: (value) => value,
  relu: (value) => Math.max(0, value),
  relu6: (value) => Math.min(Math.max(0, value), 6),
  elu: (value) => (value >= 0 ? value : Math.expm1(value)),
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
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
    const { a, b, bias } = call.inputs as Record<string, TensorInfo>;
    const attributes = (call.attrs ?? {}) as FusedAttributes;
    const attrs = { ...attributes, activation: 'linear' } as unknown as NamedAttrMap;
    const product = upstream({ ...call, inputs: { a: a!, b: b! }, attrs }) as TensorInfo;
    const activate = ACTIVATIONS[attributes.activation ?? 'linear']!;
    const memory = valuesOf(backend);
    const [from, to] = [addressOf(backend, bias) / 4, addressOf(backend, product) / 4];
    const [size, columns] = [sizeOf(product.shape), sizeOf(bias!.shape)];
    for (let i = 0; i < size; i++) {
      memory[to + i] = activate(memory[to + i]! + memory[from + (i % columns)]!);
    }
    return product;
  },
  leaves: (attributes, { a, b, bias }) =>
    bias === undefined ||
    bias.shape.length !== 1 ||
    [a, b].every((matrices) => sizeOf(matrices?.shape.slice(0, -2) ?? []) === 1) ||
    !Object.hasOwn(ACTIVATIONS, (attributes as FusedAttributes).activation ?? 'linear'),
};
