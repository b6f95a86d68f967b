// A process that recalibrates by itself: the entry point of those that bound the workers in src/benches/cli-workers.ts.

import { register } from 'tsx/esm/api';

register();
await import('../src/cli-alone.ts');
