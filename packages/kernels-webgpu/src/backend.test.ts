// What happens on a backend that is not as expected, by stand-ins for one: nothing of this needs a GPU.
import { getKernel, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { backendOf, runProgram, type WebGPUBackend, type WebGPUProgram } from './backend.ts';
import { DeviceLimitError, UnsupportedBackendError } from './index.ts';
import { kernelNames } from './register.ts';

const OUTPUT: TensorInfo = { dataId: {}, shape: [1], dtype: 'float32' };

function standIn(verdict: { message: string } | null = null) {
  return {
    device: { pushErrorScope: vi.fn(), popErrorScope: vi.fn(async () => verdict) },
    runWebGPUProgram: vi.fn((): TensorInfo => OUTPUT),
    disposeData: () => true,
    makeTensorInfo: () => OUTPUT,
  };
}

const program = (shaderKey: string) => ({ shaderKey }) as WebGPUProgram;

describe('a backend whose interface has moved', () => {
  it.each([
    ['runWebGPUProgram()', { runWebGPUProgram: undefined }],
    ['disposeData()', { disposeData: undefined }],
    ['makeTensorInfo()', { makeTensorInfo: undefined }],
    ['device.pushErrorScope()', { device: undefined }],
    ['device.popErrorScope()', { device: { pushErrorScope: () => {} } }],
  ])('is refused for its lack of %s, by every kernel', (what, change) => {
    const backend = { ...standIn(), ...change };
    for (const name of kernelNames) {
      const { kernelFunc } = getKernel(name, 'webgpu') as KernelConfig;
      const run = () => kernelFunc({ inputs: {}, attrs: {}, backend });
      expect(run).toThrow(UnsupportedBackendError);
      expect(run).toThrow(`expected a WebGPU backend with ${what}, which this one lacks`);
      expect(run).toThrow(/tfjs-backend-webgpu 4\.22; install that version, or drop the import/);
    }
  });
});

describe('runProgram', () => {
  it('watches the first compilation of each program, and no later one', () => {
    const backend = standIn();
    for (const key of ['a', 'a', 'b', 'a']) {
      expect(runProgram(backend as unknown as WebGPUBackend, program(key), [], [])).toBe(OUTPUT);
    }
    expect(backend.runWebGPUProgram).toHaveBeenCalledTimes(4);
    expect(backend.device.pushErrorScope).toHaveBeenCalledTimes(2);
    expect(backend.device.popErrorScope).toHaveBeenCalledTimes(2);
  });

  /** What nobody has caught, when `run` has been called. */
  function uncaught(run: () => void): Promise<unknown> {
    const reported = new Promise<unknown>((resolve) => {
      const before = process.listeners('unhandledRejection');
      process.removeAllListeners('unhandledRejection');
      process.once('unhandledRejection', (reason) => {
        for (const listener of before) process.on('unhandledRejection', listener);
        resolve(reason);
      });
    });
    run();
    return reported;
  }

  it.each([
    ['has compiled to nothing', undefined],
    ['has a flaw', { message: 'invalid' }],
  ])('reports a program that %s, and refuses the backend from then on', async (_, flaw) => {
    const backend = standIn({ message: "unresolved value 'result'" });
    const pipeline = flaw && { getBindGroupLayout: () => ({}) };
    const one = { ...program('moments_x'), pipeline };
    const error = await uncaught(() => runProgram(backend as unknown as WebGPUBackend, one, [], []));
    expect(error).toBeInstanceOf(UnsupportedBackendError);
    expect((error as Error).message).toMatch(
      /to compile moments_x, but it refused: unresolved value 'result' The kernels work with/,
    );
    expect(() => backendOf(backend)).toThrow(error as Error);
  });

  it('reports a call that the device refuses though it has compiled the program, and refuses no other', async () => {
    const backend = standIn();
    backend.device.popErrorScope.mockResolvedValueOnce({ message: 'out of memory' });
    const one = { ...program('moments_x'), pipeline: { getBindGroupLayout: () => ({}) } };
    const error = await uncaught(() => runProgram(backend as unknown as WebGPUBackend, one, [], []));
    expect(error).toBeInstanceOf(DeviceLimitError);
    expect((error as Error).message).toMatch(
      /to run moments_x, but it refused this call.*out of memory Other calls/,
    );
    expect(backendOf(backend)).toBe(backend);
    // It is watched again the next time.
    const watched = backend.device.pushErrorScope.mock.calls.length;
    runProgram(backend as unknown as WebGPUBackend, one, [], []);
    expect(backend.device.pushErrorScope).toHaveBeenCalledTimes(watched + 1);
  });

  it('leaves it to others to say that the device is lost', async () => {
    const backend = standIn();
    backend.device.popErrorScope.mockRejectedValue(new Error('lost'));
    runProgram(backend as unknown as WebGPUBackend, program('a'), [], []);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(backendOf(backend)).toBe(backend);
  });

  it('ends its watch when the backend throws', () => {
    const backend = standIn();
    backend.runWebGPUProgram.mockImplementation(() => {
      throw new Error('lost');
    });
    expect(() => runProgram(backend as unknown as WebGPUBackend, program('a'), [], [])).toThrow('lost');
    expect(backend.device.popErrorScope).toHaveBeenCalledTimes(1);
  });
});
