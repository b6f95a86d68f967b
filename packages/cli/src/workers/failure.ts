// Errors lose their class between threads, so they go as values.
import { RebatchError } from '@rebatch/stats';
import { DataError, ModelUseError } from '../errors.ts';
import { exitCodeOf } from '../exit-codes.ts';

/** An error on its way to another thread. */
export interface Failure {
  readonly message: string;
  readonly code: number;
  /** Whether it is one of ours, whose message is for whoever gave the data or the model. */
  readonly known: boolean;
}

export function failureOf(error: unknown): Failure {
  const { message, stack } = error as Error;
  const known = error instanceof RebatchError;
  return { message: known ? message : (stack ?? message), code: exitCodeOf(error), known };
}

export function errorOf({ message, code, known }: Failure): Error {
  if (!known) return new Error(`A worker failed: ${message}`);
  return code === 3 ? new ModelUseError(message) : new DataError(message);
}
