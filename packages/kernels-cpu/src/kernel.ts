// What every kernel's wrapper has to do around its loops: check the backend and the inputs, and make the output.
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { checked, valuesOf } from './backend.ts';
import { KernelInputError } from './errors.ts';

export type Inputs = Readonly<Record<string, TensorInfo | undefined>>;

/** A kernel to register, and what it leaves to upstream's kernel of that name. */
export interface CpuKernel {
  readonly kernelName: string;
  readonly kernelFunc: KernelConfig['kernelFunc'];
  /** Whether upstream, where it has this kernel, takes calls with these attributes and inputs. Default: it takes none. */
  readonly leaves?: (attributes: object, inputs: Inputs) => boolean;
}

/** One call of a kernel. A: its attributes. */
export interface Call<A> {
  readonly attributes: Partial<A>;
  shapeOf(name: string): readonly number[] | undefined;
  /** The values of a required float32 input, which are to be read only. */
  required(name: string, size: number): Float32Array;
  /** The same for an optional input. */
  optional(name: string, size: number): Float32Array | undefined;
  /** The same for an optional int32 input. */
  optionalIntegers(name: string, size: number): Int32Array | undefined;
  /** A tensor of these values, which it takes over. */
  output(shape: readonly number[], values: Float32Array): TensorInfo;
}

/** A kernel that throws an UnsupportedBackendError before anything else if the backend is not as expected. */
export function kernel<A>(kernelName: string, run: (call: Call<A>) => TensorInfo): CpuKernel {
  const kernelFunc: KernelConfig['kernelFunc'] = (call) => {
    const backend = checked(call.backend);
    const given = call.inputs as Inputs;
    const optional = (name: string, size: number) => {
      const tensor = given[name];
      return tensor && valuesOf(backend, checkInput(tensor, name, size, kernelName, 'float32'), Float32Array);
    };
    return run({
      attributes: (call.attrs ?? {}) as Partial<A>,
      shapeOf: (name) => given[name]?.shape,
      required: (name, size) => {
        const values = optional(name, size);
        if (values === undefined)
          throw new KernelInputError(`${kernelName}: expected an input named ${name}, got none.`);
        return values;
      },
      optional,
      optionalIntegers: (name, size) => {
        const tensor = given[name];
        return tensor && valuesOf(backend, checkInput(tensor, name, size, kernelName, 'int32'), Int32Array);
      },
      output: (shape, values) => backend.makeTensorInfo([...shape], 'float32', values),
    });
  };
  return { kernelName, kernelFunc };
}

/** @throws {KernelInputError} if the input is of another dtype, or of another size. */
function checkInput(
  tensor: TensorInfo,
  name: string,
  size: number,
  kernelName: string,
  dtype: 'float32' | 'int32',
): TensorInfo {
  if (tensor.dtype !== dtype) {
    throw new KernelInputError(
      `${kernelName}: expected ${name} to be ${dtype}, got ${tensor.dtype}. Cast it with tf.cast(${name}, '${dtype}').`,
    );
  }
  const actual = sizeOf(tensor.shape);
  if (actual !== size) {
    throw new KernelInputError(
      `${kernelName}: expected ${name} to hold ${size} values, got shape [${tensor.shape.join(', ')}] (${actual}).`,
    );
  }
  return tensor;
}

/** How many values a tensor of this shape has. */
export const sizeOf = (shape: readonly number[]) => shape.reduce((total, length) => total * length, 1);
