// A worker thread of `pnpm paper --all`: threads do not inherit the loader for TypeScript.

import { register } from 'tsx/esm/api';

register();
const { default: work } = await import('../src/runner/worker.ts');

export default work;
