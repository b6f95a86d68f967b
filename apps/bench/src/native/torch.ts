// PyTorch as a peer: the machine's own (Debian's package python3-torch), in a child process. Never installed from here.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Side } from '../measure.ts';
import { NotMeasuredError } from '../unmeasured.ts';
import type { Network } from './network.ts';

const PYTHON = '/usr/bin/python3';
const PROGRAM = fileURLToPath(new URL('./torch-peer.py', import.meta.url));

/** How PyTorch lays out images: channels first, or last in memory. */
export type Layout = 'default' | 'channels_last';

export interface TorchTask {
  readonly threads: number;
  readonly layout: Layout;
  /** All numbers that it is given, one after the other: for a network its weights, images and labels. */
  readonly values: readonly ArrayLike<number>[];
}

export interface NetworkTask extends TorchTask {
  readonly network: Network;
  readonly batch: number;
  readonly rate: number;
  readonly momentum: number;
  /** How many steps a run makes; default 1. */
  readonly steps?: number;
}

export interface NormTask extends TorchTask {
  readonly shape: readonly number[];
}

export interface TorchSide extends Side {
  /** One step; its results, one after the other. */
  readonly solve: () => Promise<Float32Array>;
  readonly dispose: () => Promise<void>;
}

let available: boolean | undefined;

/** @throws {NotMeasuredError} where there is no PyTorch. */
function checkTorch(): void {
  available ??= spawnSync(PYTHON, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;
  if (!available) {
    throw new NotMeasuredError(`no PyTorch for ${PYTHON} on this machine (Debian's package python3-torch)`);
  }
}

/** A training step of a network: its results are the loss before, and the weights after. */
export const torchNetwork = ({ network, batch, rate, momentum, steps = 1, ...task }: NetworkTask) =>
  start(task, { make: 'network', ...network, batch, rate, momentum }, steps);

/** Batch normalization, forward and backward: its results are y, dx, dgamma and dbeta. */
export const torchNorm = ({ shape, ...task }: NormTask) => start(task, { make: 'norm', shape });

/**
 * Starts the process.
 *
 * @throws {NotMeasuredError} (rejects) where there is no PyTorch.
 */
async function start({ threads, layout, values }: TorchTask, what: object, steps = 1): Promise<TorchSide> {
  checkTorch();
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-torch-'));
  const child = spawn(PYTHON, [PROGRAM], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: `${threads}` },
  });
  const ended = once(child, 'exit');
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (task: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(task)}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error('the process that runs PyTorch has ended');
    return JSON.parse(value);
  };
  const dispose = async () => {
    child.stdin.end();
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    const file = join(folder, 'values');
    await writeFile(file, Buffer.concat(values.map((each) => Buffer.from(Float32Array.from(each).buffer))));
    await ask({ ...what, threads, layout, file });
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    run: () => ask({ run: steps }),
    solve: async () => {
      const file = join(folder, 'results');
      await ask({ solve: file });
      const bytes = await readFile(file);
      return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    },
    dispose,
  };
}
