// How long steps take on this machine, so that a run can say how long it will take, and its progress goes evenly.

import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import writeFileAtomic from 'write-file-atomic';
import type { Experiment, Result } from '../experiment.ts';
import { type RunChoice, settingsOf } from './job.ts';
import { readResults } from './result-files.ts';

/** Ignored by git. */
const FILE = fileURLToPath(new URL('../../.cache/timings.json', import.meta.url));

/** Seconds per step of an experiment's job, with nothing else than the other jobs on the machine. */
export interface Pace {
  readonly seconds: number;
  /** Whether this machine took as long; else it is a guess by the committed results. */
  readonly here: boolean;
}

/** Where nothing is known. */
const GUESS = 0.3;

/** What was measured, and what the committed results tell. */
export class Timings {
  readonly #file: string;
  readonly #committed: ReadonlyMap<string, number>;
  readonly #measured: Map<string, number>;

  private constructor(file: string, committed: ReadonlyMap<string, number>, measured: Map<string, number>) {
    this.#file = file;
    this.#committed = committed;
    this.#measured = measured;
  }

  /** @param results of full runs, on whatever machine. */
  static async load(
    experiments: readonly Experiment[],
    results?: readonly (readonly [Experiment, Result<unknown> | undefined])[],
    file: string = FILE,
  ): Promise<Timings> {
    const committed = new Map<string, number>();
    for (const [experiment, result] of results ?? (await readResults(experiments))) {
      if (result === undefined) continue;
      const steps = experiment.steps(experiment.settings(false)) * result.seeds.length;
      committed.set(experiment.name, result.seconds / steps);
    }
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    return new Timings(file, committed, new Map(Object.entries(JSON.parse(text))));
  }

  /** The pace of an experiment: as measured here, or as committed and scaled by how this machine compares. */
  paceOf({ name }: Pick<Experiment, 'name'>, choice: RunChoice): Pace {
    const measured = this.#measured.get(keyOf(name, choice));
    if (measured !== undefined) return { seconds: measured, here: true };
    return { seconds: (this.#committed.get(name) ?? GUESS) * this.#slowness(), here: false };
  }

  /** Notes how long a job took; whole or not at all, and jobs may end together. */
  async note(
    experiment: Pick<Experiment, 'name' | 'steps' | 'settings'>,
    choice: RunChoice,
    seconds: number,
  ) {
    this.#measured.set(
      keyOf(experiment.name, choice),
      seconds / experiment.steps(settingsOf(experiment, choice)),
    );
    await mkdir(dirname(this.#file), { recursive: true });
    await writeFileAtomic(this.#file, JSON.stringify(Object.fromEntries(this.#measured), null, 2));
  }

  /** How many times as long full runs take here as those that are committed took: the middle one of those known. */
  #slowness(): number {
    const ratios = [...this.#committed].flatMap(([name, committed]) => {
      const measured = this.#measured.get(keyOf(name, { quick: false }));
      return measured === undefined ? [] : [measured / committed];
    });
    return ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 1;
  }
}

function keyOf(name: string, { quick }: RunChoice): string {
  return quick ? `${name}, quick` : name;
}

/** "2 h 5 min", "40 min" or "50 s". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
