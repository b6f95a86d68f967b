// One replica of data-parallel training, on the WASM backend with our kernels.

import { parentPort } from 'node:worker_threads';
import { serveReplica } from '@rebatch/leakage';
import '@rebatch/leakage/register';
import { useBackend } from './backends.ts';

await useBackend('wasm');
serveReplica(parentPort!);
