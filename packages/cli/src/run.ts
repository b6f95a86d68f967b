import { RebatchError } from '@rebatch/stats';
import { CommanderError } from 'commander';
import { type ExitCode, exitCodeOf } from './exit-codes.ts';
import type { Streams } from './io.ts';
import { makeProgram } from './program.ts';
import { inOptionsOfCommands } from './remedies.ts';

/**
 * Runs a command line, as `rebatch` does, and resolves to the number that the process is to exit with; it never rejects.
 *
 * @param args without the names of Node and the program, such as `['inspect', 'model.json', 'photos']`.
 */
export async function run(args: readonly string[], streams: Streams): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = makeProgram({
    streams,
    end: (other) => {
      code = other;
    },
  });
  try {
    // Its words go to the process's own output, which a shell reads.
    if (args[0] === 'complete') (await import('@bomb.sh/tab/commander')).default(program);
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    // Help and versions end a run by throwing, too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (streams.signal.aborted) {
      streams.err('Interrupted. Nothing was written.\n');
      return 130;
    }
    const known = error instanceof RebatchError;
    streams.err(`${known ? `Error: ${inOptionsOfCommands(error.message)}` : unexpected(error)}\n`);
    return exitCodeOf(error);
  }
}

function unexpected(error: unknown): string {
  const { stack } = Object(error) as { stack?: unknown };
  return `Something failed that should not have; nothing was written. Please report it:\n${stack ?? error}`;
}
