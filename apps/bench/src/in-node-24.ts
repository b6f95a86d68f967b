// Cases once more, in Node 24: a process of it runs the case as it stands, and this one takes its line.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { progressBar } from '@rebatch/npm-files';
import { fetchRuntime } from '@rebatch/runtimes';
import type { Bench, BenchCase } from './bench.ts';
import { interruptible } from './interruptible.ts';
import type { Line } from './line.ts';
import { InterruptedError, NotMeasuredError } from './unmeasured.ts';

const MAIN = fileURLToPath(new URL('../bin/bench.js', import.meta.url));
const MAJOR = 24;

/** Whether this process is what the cases are to run in, so that there are none to add. */
const isNode24 = Number(process.versions.node.split('.')[0]) >= MAJOR;

/**
 * The same case in Node 24, as a case of its own; none within Node 24.
 *
 * @param target the ratio that it must reach there.
 */
export function inNode24({ name }: Pick<Bench, 'name'>, one: BenchCase, target?: number): BenchCase[] {
  if (isNode24) return [];
  const { target: _, ...rest } = one;
  return [
    {
      ...rest,
      case: `${one.case}, Node ${MAJOR}`,
      ...(target !== undefined && { target }),
      needs: [...(one.needs ? [one.needs] : []), `Node ${MAJOR}, which is fetched on first use`].join(
        ', and ',
      ),
      measure: async () => {
        const { ours_ms, peer_ms, ratio, spread } = await lineOf(name, one);
        return { oursMs: ours_ms, peerMs: peer_ms, ratio, spread };
      },
    },
  ];
}

async function lineOf(bench: string, one: BenchCase): Promise<Line> {
  return interruptible(async (signal) => {
    const node = await fetched(signal);
    const child = spawn(node, [MAIN, bench, '--json', '--case', `${one.case} ${one.shape}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    const ended = once(child, 'close');
    const [lines, errors] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    for (const line of lines
      .split('\n')
      .filter(Boolean)
      .map((row): Line => JSON.parse(row))) {
      if (line.case === one.case && line.peer === one.peer) return line;
    }
    const reason = /: not measured: (.*)/.exec(errors)?.[1];
    if (reason !== undefined) throw new NotMeasuredError(reason);
    throw new Error(`Node ${MAJOR} has not measured it: ${errors}`);
  });
}

async function fetched(signal: AbortSignal): Promise<string> {
  try {
    return await fetchRuntime('node24', { signal, progress: progressBar() });
  } catch (error) {
    if (error instanceof InterruptedError || error instanceof NotMeasuredError) throw error;
    throw new NotMeasuredError((error as Error).message, { cause: error });
  }
}
