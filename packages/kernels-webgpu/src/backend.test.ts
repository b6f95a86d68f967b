// What happens on a backend that is not as expected, by stand-ins for one: nothing of this needs a GPU.
import { getKernel, type KernelConfig, type TensorInfo } from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { backendOf, runProgram, type WebGPUBackend, type WebGPUProgram } from './backend.ts';
import { UnsupportedBackendError } from './index.ts';

const OUTPUT: TensorInfo = { dataId: {}, shape: [1], dtype: 'float32' };

function standIn(verdict: { message: string } | null = null) {
  return {
    device: { pushErrorScope: vi.fn(), popErrorScope: vi.fn(async () => verdict) },
    runWebGPUProgram: vi.fn((): TensorInfo => OUTPUT),
    disposeData: () => true,
  };
}

const program = (shaderKey: string) => ({ shaderKey }) as WebGPUProgram;

describe('a backend whose interface has moved', () => {
  it.each([
    ['runWebGPUProgram()', { runWebGPUProgram: undefined }],
    ['disposeData()', { disposeData: undefined }],
    ['device.pushErrorScope()', { device: undefined }],
    ['device.popErrorScope()', { device: { pushErrorScope: () => {} } }],
  ])('is refused for its lack of %s, by every kernel', (what, change) => {
    const backend = { ...standIn(), ...change };
    const names = ['Moments', 'Normalize', 'BackwardReduce', 'BackwardInput', 'Backward'];
    for (const name of names) {
      const { kernelFunc } = getKernel(`Rebatch${name}`, 'webgpu') as KernelConfig;
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
      expect(runProgram(backend as WebGPUBackend, program(key), [], [])).toBe(OUTPUT);
    }
    expect(backend.runWebGPUProgram).toHaveBeenCalledTimes(4);
    expect(backend.device.pushErrorScope).toHaveBeenCalledTimes(2);
    expect(backend.device.popErrorScope).toHaveBeenCalledTimes(2);
  });

  it('reports a program that the device refuses, and refuses the backend from then on', async () => {
    const backend = standIn({ message: "unresolved value 'result'" });
    const reported = new Promise<unknown>((resolve) => {
      const before = process.listeners('unhandledRejection');
      process.removeAllListeners('unhandledRejection');
      process.once('unhandledRejection', (reason) => {
        for (const listener of before) process.on('unhandledRejection', listener);
        resolve(reason);
      });
    });
    runProgram(backend as WebGPUBackend, program('RebatchMoments_x'), [], []);
    const error = await reported;
    expect(error).toBeInstanceOf(UnsupportedBackendError);
    expect((error as Error).message).toMatch(
      /to compile RebatchMoments_x, but it refused: unresolved value 'result' The kernels work with/,
    );
    expect(() => backendOf(backend)).toThrow(error as Error);
  });

  it('leaves it to others to say that the device is lost', async () => {
    const backend = standIn();
    backend.device.popErrorScope.mockRejectedValue(new Error('lost'));
    runProgram(backend as WebGPUBackend, program('a'), [], []);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(backendOf(backend)).toBe(backend);
  });

  it('ends its watch when the backend throws', () => {
    const backend = standIn();
    backend.runWebGPUProgram.mockImplementation(() => {
      throw new Error('lost');
    });
    expect(() => runProgram(backend as WebGPUBackend, program('a'), [], [])).toThrow('lost');
    expect(backend.device.popErrorScope).toHaveBeenCalledTimes(1);
  });
});
