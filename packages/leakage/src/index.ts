/** Leakage: what a model learns about a sample's label from the other samples in its normalization batch. */
export { LeakageError } from './errors.ts';
