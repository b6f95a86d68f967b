// A replica's thread: the entry point of the workers that src/benches/replicas.ts starts.

import { register } from 'tsx/esm/api';

register();
await import('../src/replica.ts');
