// Core's own suite, now on these kernels instead of composed ops.
import { describeConformance, selectBackend } from '@rebatch/core/conformance';
import './index.ts';
import { kernelNames } from './register.ts';

describeConformance('webgpu, with kernels', () => selectBackend('webgpu'), { kernels: kernelNames });
