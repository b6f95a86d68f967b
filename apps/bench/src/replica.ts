// One replica of data-parallel training, on the WASM backend with our kernels.

import { parentPort } from 'node:worker_threads';
import '@rebatch/leakage/register';
import { serveReplica } from '@rebatch/replicas';
import { useBackend } from './backends.ts';

await useBackend('wasm');
serveReplica(parentPort!);
