// A thread of `--workers` in this repository, from its sources. What is published is dist/workers/worker.js.
import { register } from 'tsx/esm/api';

register();
export default (await import('../src/workers/worker.ts')).default;
