#!/usr/bin/env node
// The command `rebatch`.
import { processStreams } from './io.ts';
import { run } from './run.ts';

const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('Interrupted')));
process.once('SIGTERM', () => stop.abort(new Error('Terminated')));
// Whoever reads may have seen enough: `rebatch inspect ... | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
process.exitCode = await run(process.argv.slice(2), processStreams(stop.signal));
