// What every kernel's wrapper has to do around its programs: check the backend, the view and the inputs, and give its
// output the shape that the caller knows.
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { backendOf, type WebGPUBackend } from './backend.ts';
import { type Inputs, requiredInput, sizeOf } from './inputs.ts';
import { type View, viewOf } from './view.ts';

/** One call of a kernel. */
export interface Call {
  readonly backend: WebGPUBackend;
  readonly view: View;
  readonly attributes: Readonly<Record<string, number | undefined>>;
  /** The shape of x. */
  readonly shape: readonly number[];
  /** The group of each block, where ids tell. */
  readonly ids: TensorInfo | undefined;
  /** A required float32 input of that many values, flat. */
  required(name: string, size: number): TensorInfo;
  /** gamma or beta, undefined where it is not given, and how many values apart those of two groups are. */
  affine(name: 'gamma' | 'beta'): { readonly tensor: TensorInfo | undefined; readonly perGroup: number };
}

/** A kernel that throws an UnsupportedBackendError before anything else if the backend is not as expected. */
export function kernel(kernelName: string, run: (call: Call) => TensorInfo | TensorInfo[]): KernelConfig {
  const kernelFunc: KernelConfig['kernelFunc'] = ({ backend, inputs, attrs }) => {
    const checked = backendOf(backend);
    const given = inputs as Inputs;
    const blocks = given.ids && sizeOf(given.ids.shape);
    const view = viewOf(attrs as object | undefined, blocks, kernelName);
    const required = (name: string, size: number) => requiredInput(given, name, size, kernelName);
    return run({
      backend: checked,
      view,
      attributes: (attrs ?? {}) as Record<string, number>,
      shape: given.x?.shape ?? [],
      ids: blocks === undefined ? undefined : requiredInput(given, 'ids', blocks, kernelName, 'int32'),
      required,
      affine: (name) => {
        const vector = given[name];
        if (vector === undefined) return { tensor: undefined, perGroup: 0 };
        const shared = sizeOf(vector.shape) === view.channels;
        const size = shared ? view.channels : view.groups * view.channels;
        return { tensor: required(name, size), perGroup: shared ? 0 : view.channels };
      },
    });
  };
  return { kernelName, backendName: 'webgpu', kernelFunc };
}

/** The same values in another shape. */
export function shaped({ dataId, dtype }: TensorInfo, shape: readonly number[]): TensorInfo {
  return { dataId, dtype, shape: [...shape] };
}
