import { RebatchError } from '@rebatch/stats';
import { MalformedFileError } from './errors.ts';

/**
 * Runs a reader. What a damaged file makes it throw that is no error of ours becomes one, so that whoever opens files of
 * strangers has one kind of error to catch. An abort stays what it is.
 */
export async function guarded<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RebatchError || !isFault(error)) throw error;
    throw new MalformedFileError(`The file cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

/** What JavaScript throws by itself when code meets what it does not expect. */
function isFault(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
}
