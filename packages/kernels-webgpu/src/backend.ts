// The one place that knows the WebGPU backend: its public runWebGPUProgram, which wraps a body of WGSL in declarations
// of its own. What those are is not documented upstream, so a program that they do not fit must be noticed.
import { UnsupportedBackendError } from '@rebatch/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { DeviceLimitError } from './errors.ts';

/** A shader as runWebGPUProgram takes it. */
export interface WebGPUProgram {
  readonly outputShape: number[];
  readonly outputComponent: number;
  readonly variableNames: string[];
  /** Values per element of each input's array: 1 or 4. */
  readonly variableComponents: number[];
  readonly uniforms: string;
  readonly workgroupSize: [number, number, number];
  readonly dispatchLayout: { readonly x: number[] };
  /** The backend folds a first number beyond the device's limit into two or three. */
  dispatch: [number, number, number];
  /** The backend appends to it what its own declarations depend on. */
  shaderKey: string;
  getUserCode(): string;
  /** What the backend has compiled it to, once it has run. */
  pipeline?: unknown;
}

export interface UniformValue {
  readonly type: 'int32' | 'uint32' | 'float32';
  readonly data: number[];
}

/** The part of WebGPUBackend that the kernels use. */
export interface WebGPUBackend {
  readonly device: {
    readonly limits?: { readonly maxStorageBufferBindingSize?: number; readonly maxBufferSize?: number };
    pushErrorScope(filter: 'validation'): void;
    popErrorScope(): Promise<{ readonly message: string } | null>;
  };
  runWebGPUProgram(
    program: WebGPUProgram,
    inputs: TensorInfo[],
    dtype: 'float32',
    uniforms: UniformValue[],
    output?: TensorInfo,
  ): TensorInfo;
  disposeData(dataId: object, force?: boolean): boolean;
  makeTensorInfo(shape: number[], dtype: 'float32' | 'int32', values?: Int32Array): TensorInfo;
  uploadToGPU(dataId: object): void;
  /** What it knows of each tensor's data. Private upstream, and used for tensors in pieces alone. */
  readonly tensorMap: {
    get(dataId: object): { readonly resource: unknown };
    set(dataId: object, data: object): void;
    delete(dataId: object): boolean;
  };
}

interface Knowledge {
  /** The keys of programs that the device has been asked to compile. */
  readonly tried: Set<string>;
  /** What it said of one that it refused. */
  refusal?: UnsupportedBackendError;
}

const known = new WeakMap<object, Knowledge>();

const ADVICE =
  'The kernels work with @tensorflow/tfjs-backend-webgpu 4.22; install that version, or drop the import of ' +
  '@rebatch/kernels-webgpu.';

/**
 * The backend, once it is known to have what the kernels need.
 *
 * @throws {UnsupportedBackendError} if it lacks something, or its device has refused a program.
 */
export function backendOf(candidate: unknown): WebGPUBackend {
  const backend = candidate as WebGPUBackend;
  const { refusal } = knowledgeOf(backend);
  if (refusal !== undefined) throw refusal;
  return backend;
}

function knowledgeOf(backend: WebGPUBackend): Knowledge {
  let knowledge = known.get(backend);
  if (knowledge === undefined) {
    check(backend);
    knowledge = { tried: new Set() };
    known.set(backend, knowledge);
  }
  return knowledge;
}

function check(backend: Partial<WebGPUBackend>): void {
  const needed = {
    'runWebGPUProgram()': backend.runWebGPUProgram,
    'disposeData()': backend.disposeData,
    'makeTensorInfo()': backend.makeTensorInfo,
    'device.pushErrorScope()': backend.device?.pushErrorScope,
    'device.popErrorScope()': backend.device?.popErrorScope,
  };
  for (const [what, method] of Object.entries(needed)) {
    if (typeof method === 'function') continue;
    throw new UnsupportedBackendError(
      `@rebatch/kernels-webgpu: expected a WebGPU backend with ${what}, which this one lacks. ${ADVICE}`,
    );
  }
}

/** Bytes that a program can read or write of one tensor. */
export function bindingLimit({ device }: WebGPUBackend): number {
  return device.limits?.maxStorageBufferBindingSize ?? Number.POSITIVE_INFINITY;
}

/**
 * A new tensor of float32 values that programs write to.
 *
 * @throws {DeviceLimitError} if the device has no buffers of that size.
 */
export function emptyTensor(backend: WebGPUBackend, size: number, kernelName: string): TensorInfo {
  const limit = backend.device.limits?.maxBufferSize ?? Number.POSITIVE_INFINITY;
  if (4 * size <= limit) return backend.makeTensorInfo([size], 'float32');
  throw new DeviceLimitError(
    `${kernelName}: expected a tensor of at most ${limit} bytes, the maxBufferSize of the device, got ${4 * size}. Ask for ` +
      "the adapter's limits when you request the device (TensorFlow.js does, if it makes the device), or use a smaller " +
      'tensor. Other calls go on.',
  );
}

/** A new tensor of whole numbers. */
export function integersOf(backend: WebGPUBackend, values: Int32Array): TensorInfo {
  return backend.makeTensorInfo([values.length], 'int32', values);
}

/**
 * A part of a tensor's values as a tensor of its own, in the same memory: to be released, and not disposed. The backend binds
 * what it does not know as it is, and so a part of a buffer.
 *
 * @param first in bytes a multiple of 256.
 */
export function partOf(backend: WebGPUBackend, tensor: TensorInfo, first: number, size: number): TensorInfo {
  backend.uploadToGPU(tensor.dataId);
  const data = backend.tensorMap.get(tensor.dataId);
  const resource = { buffer: data.resource, offset: 4 * first, size: 4 * size };
  const dataId = {};
  backend.tensorMap.set(dataId, { ...data, resource, shape: [size] });
  return { dataId, shape: [size], dtype: tensor.dtype };
}

/** Forgets a part; the tensor keeps its memory. */
export function releasePart(backend: WebGPUBackend, { dataId }: TensorInfo): void {
  backend.tensorMap.delete(dataId);
}

/**
 * Runs a program; its output is flat. A program that does not compile leaves zeros, and WebGPU says so later: then an
 * UnsupportedBackendError is thrown where nobody can catch it, and by every kernel that is called from then on. What else the
 * device may have against a call, such as memory that it did not get, is said in the same way, but of that call alone.
 *
 * @param output to write to; a new tensor unless given.
 */
export function runProgram(
  backend: WebGPUBackend,
  program: WebGPUProgram,
  inputs: TensorInfo[],
  uniforms: UniformValue[],
  output?: TensorInfo,
): TensorInfo {
  const knowledge = knowledgeOf(backend);
  const { shaderKey } = program;
  const run = () => backend.runWebGPUProgram(program, inputs, 'float32', uniforms, output);
  if (knowledge.tried.has(shaderKey)) return run();
  backend.device.pushErrorScope('validation');
  try {
    const made = run();
    knowledge.tried.add(shaderKey);
    return made;
  } finally {
    // Rejects for a device that is lost, which shows elsewhere.
    const verdict = backend.device.popErrorScope().catch(() => null);
    void verdict.then(async (error) => {
      if (error === null) return;
      if (await isValid(backend, program)) {
        // Watched again when it runs the next time: it may be tried with other tensors.
        knowledge.tried.delete(shaderKey);
        throw new DeviceLimitError(
          `@rebatch/kernels-webgpu: expected the device to run ${shaderKey}, but it refused this call, whose output is of no ` +
            `use: ${error.message} Other calls go on.`,
        );
      }
      knowledge.refusal ??= new UnsupportedBackendError(
        `@rebatch/kernels-webgpu: expected the device to compile ${shaderKey}, but it refused: ${error.message} ${ADVICE}`,
      );
      throw knowledge.refusal;
    });
  }
}

/** Whether a program has compiled: the device takes no question about one that has not. */
async function isValid({ device }: WebGPUBackend, { pipeline }: WebGPUProgram): Promise<boolean> {
  const { getBindGroupLayout } = (pipeline ?? {}) as { getBindGroupLayout?: (index: number) => unknown };
  if (getBindGroupLayout === undefined) return false;
  device.pushErrorScope('validation');
  getBindGroupLayout.call(pipeline, 0);
  const flaw = await device.popErrorScope().catch(() => undefined);
  return flaw === null;
}
