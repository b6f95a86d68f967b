// A thread that trains by itself: the entry point of the workers that bound replicas in src/benches/replicas.ts.

import { register } from 'tsx/esm/api';

register();
await import('../src/alone.ts');
