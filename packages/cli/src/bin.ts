#!/usr/bin/env node
// The command `rebatch`.
import type { ExitCode } from './exit-codes.ts';
import { processStreams } from './io.ts';
import { run } from './run.ts';

const OUTPUT_FAILED: ExitCode = 6;

const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('Interrupted')));
process.once('SIGTERM', () => stop.abort(new Error('Terminated')));
let unwritten = false;
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  // Whoever reads may have seen enough: `rebatch inspect ... | head`. How the run ends is another matter.
  if (code === 'EPIPE' || unwritten) return;
  unwritten = true;
  process.exitCode = OUTPUT_FAILED;
  const reason = code === 'ENOSPC' ? 'the disk is full' : message;
  process.stderr.write(
    `Error: Standard output could not be written, ${reason}. Files that were asked for are not affected.\n`,
  );
});
// Nobody is left to be told, and what was asked for is done all the same.
process.stderr.on('error', () => {});
const code = await run(process.argv.slice(2), processStreams(stop.signal));
process.exitCode = unwritten ? OUTPUT_FAILED : code;
