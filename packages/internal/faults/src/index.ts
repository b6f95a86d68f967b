// Failing operations, and what must be true after them.
export { type Scenario, sweep } from './sweep.ts';
