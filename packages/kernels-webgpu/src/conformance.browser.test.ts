// The suite of core's ops, on these kernels instead of composed ones; then what it does not ask of them.
import { describeConformance, selectBackend } from '@rebatch/conformance';
import { describe } from 'vitest';
import { describeBatchNormKernels } from './batch-norm.test.support.ts';
import './index.ts';
import { kernelNames } from './register.ts';

describeConformance('webgpu, with kernels', () => selectBackend('webgpu'), { kernels: kernelNames });

describe('the kernels of webgpu', describeBatchNormKernels);
