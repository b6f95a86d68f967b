// The thread that reads pictures in this repository, from its sources. What is published is dist/workers/picture-reader.js.
import { register } from 'tsx/esm/api';

register();
export default (await import('../src/workers/picture-reader.ts')).default;
