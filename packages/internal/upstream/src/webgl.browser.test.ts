import '@tensorflow/tfjs-backend-webgl';
import { needsBackend, selectBackend } from '@rebatch/conformance';
import { describeOps } from './suite.ts';

needsBackend('webgl', () => selectBackend('webgl'));

// Each call compiles its programs, which without a GPU takes most of the time.
describeOps('webgl', { every: 3 });
