// Runs other programs and reports what they printed when they fail, so that a test's message is enough to act on.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface CommandResult {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end. Never throws because of what the program answers; `output` is stdout and stderr. */
export async function attempt(file: string, args: readonly string[], cwd: string): Promise<CommandResult> {
  try {
    const { stdout, stderr } = await run(file, args, { cwd, maxBuffer: 1 << 26 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr, message } = error as Error & {
      code?: unknown;
      stdout?: string;
      stderr?: string;
    };
    if (typeof code !== 'number') throw new Error(`${file} could not be run: ${message}`, { cause: error });
    return { code, output: `${stdout ?? ''}${stderr ?? ''}` };
  }
}

/** Runs a program that must succeed, and throws an Error with its whole output when it does not. */
export async function command(file: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, output } = await attempt(file, args, cwd);
  if (code !== 0) throw new Error(`${[file, ...args].join(' ')} exited with ${code} in ${cwd}\n${output}`);
  return output;
}

/** Runs pnpm: the one that runs these tests if that is how they were started, so that none need be installed. */
export function pnpm(args: readonly string[], cwd: string): Promise<string> {
  const parent = process.env.npm_execpath ?? '';
  if (/pnpm\.[cm]?js$/.test(parent)) return command(process.execPath, [parent, ...args], cwd);
  return command(/pnpm$/.test(parent) ? parent : 'pnpm', args, cwd);
}
