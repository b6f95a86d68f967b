// Where a run's words go: the process's own streams, or a test's.

/** The streams of a run. */
export interface Streams {
  /** Results alone: the report, or its JSON. */
  readonly out: (text: string) => void;
  /** Everything else: progress, notes, errors. */
  readonly err: (text: string) => void;
  /** Whether a person watches `err`, so that a bar may move there. */
  readonly terminal: boolean;
  /** Ends the run. */
  readonly signal: AbortSignal;
}

/** Those of this process. */
export function processStreams(signal: AbortSignal): Streams {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: process.stderr.isTTY === true,
    signal,
  };
}
