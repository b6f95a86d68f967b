import { describeConformance, selectBackend } from '@rebatch/conformance';
import './index.ts';
import { kernelNames } from './register.ts';

describeConformance('cpu, with kernels', () => selectBackend('cpu'), { kernels: kernelNames });
