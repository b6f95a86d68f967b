// What JavaScript runs in besides the Node that runs this.
export { fetchRuntime, type Runtime, type RuntimeOptions } from './runtimes.ts';
