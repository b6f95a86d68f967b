// Work that the user can stop, such as fetching large files.

import { InterruptedError } from './unmeasured.ts';

/** Runs `work` with a signal that aborts, with an InterruptedError, when the user interrupts. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const interrupt = () => abort.abort(new InterruptedError('interrupted'));
  process.once('SIGINT', interrupt);
  try {
    return await work(abort.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
}
