import type { ExitCode } from '../exit-codes.ts';
import type { Streams } from '../io.ts';

/** What a command runs with. */
export interface Context {
  readonly streams: Streams;
  /** Ends with another number than 0 without having failed. */
  readonly end: (code: ExitCode) => void;
}
