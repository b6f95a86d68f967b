import '@tensorflow/tfjs-backend-webgl';
import { needsBackend, selectBackend } from '@rebatch/conformance';
import { describeOps } from './suite.ts';

needsBackend('webgl', () => selectBackend('webgl'));

// Each call compiles its programs, which without a GPU takes most of the time: all calls are made of cpu and wasm.
describeOps('webgl', { every: 6 });
