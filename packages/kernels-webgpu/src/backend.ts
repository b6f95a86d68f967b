// The one place that knows the WebGPU backend: its public runWebGPUProgram, which wraps a body of WGSL in declarations
// of its own. What those are is not documented upstream, so a program that they do not fit must be noticed.
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { UnsupportedBackendError } from './errors.ts';

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
}

export interface UniformValue {
  readonly type: 'int32' | 'uint32' | 'float32';
  readonly data: number[];
}

/** The part of WebGPUBackend that the kernels use. */
export interface WebGPUBackend {
  readonly device: {
    pushErrorScope(filter: 'validation'): void;
    popErrorScope(): Promise<{ readonly message: string } | null>;
  };
  runWebGPUProgram(
    program: WebGPUProgram,
    inputs: TensorInfo[],
    dtype: 'float32',
    uniforms: UniformValue[],
  ): TensorInfo;
  disposeData(dataId: object, force?: boolean): boolean;
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

/**
 * Runs a program; its output is flat. A program that does not compile leaves zeros, and WebGPU says so later: then an
 * UnsupportedBackendError is thrown where nobody can catch it, and by every kernel that is called from then on.
 */
export function runProgram(
  backend: WebGPUBackend,
  program: WebGPUProgram,
  inputs: TensorInfo[],
  uniforms: UniformValue[],
): TensorInfo {
  const knowledge = knowledgeOf(backend);
  const { shaderKey } = program;
  const run = () => backend.runWebGPUProgram(program, inputs, 'float32', uniforms);
  if (knowledge.tried.has(shaderKey)) return run();
  backend.device.pushErrorScope('validation');
  try {
    const output = run();
    knowledge.tried.add(shaderKey);
    return output;
  } finally {
    // Rejects for a device that is lost, which shows elsewhere.
    const verdict = backend.device.popErrorScope().catch(() => null);
    void verdict.then((error) => {
      if (error === null) return;
      knowledge.refusal ??= new UnsupportedBackendError(
        `@rebatch/kernels-webgpu: expected the device to compile ${shaderKey}, but it refused: ${error.message} ${ADVICE}`,
      );
      throw knowledge.refusal;
    });
  }
}
