// The suite of core's ops, on these kernels instead of composed ones; then what it does not ask of them.
import { describeConformance, selectBackend } from '@rebatch/conformance';
import { describe, vi } from 'vitest';
import { describeBatchNormKernels } from './batch-norm.test.support.ts';
import './index.ts';
import { kernelNames } from './register.ts';

// Each way to walk is a program, and SwiftShader takes its time to compile one.
vi.setConfig({ testTimeout: 240_000 });

describeConformance('webgpu, with kernels', () => selectBackend('webgpu'), { kernels: kernelNames });

describe('the kernels of webgpu', describeBatchNormKernels);
