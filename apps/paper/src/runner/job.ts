// A unit of work: one seed of one experiment, and what identifies its outcome.

import { createHash } from 'node:crypto';
import type { Experiment, SeedSettings } from '../experiment.ts';

export interface Job {
  readonly experiment: string;
  readonly seed: number;
  /** Plain JSON. */
  readonly settings: SeedSettings;
  /** Of the code that runs it. */
  readonly code: string;
}

/** Which run of an experiment is meant. */
export interface RunChoice {
  /** A smaller run of the same code, for a first look. */
  readonly quick: boolean;
  /** Instead of the experiment's own. */
  readonly seeds?: readonly number[];
}

/** The settings of that run. */
export function settingsOf<Settings extends SeedSettings>(
  experiment: Pick<Experiment<never, Settings>, 'settings'>,
  { quick, seeds }: RunChoice,
): Settings {
  const settings = experiment.settings(quick);
  return seeds === undefined ? settings : { ...settings, seeds };
}

/** The jobs of an experiment, one per seed. */
export function jobsOf(experiment: Experiment, choice: RunChoice, code: string): Job[] {
  const settings = settingsOf(experiment, choice);
  return settings.seeds.map((seed) => ({ experiment: experiment.name, seed, settings, code }));
}

/**
 * A file name for what the job gives: the same only for the same experiment, seed, settings and code. The other seeds
 * do not matter, so that adding one keeps what is there.
 */
export function jobKey({ experiment, seed, settings, code }: Job): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([experiment, seed, { ...settings, seeds: [] }, code]))
    .digest('hex');
  return `${experiment}-seed${seed}-${hash.slice(0, 16)}`;
}
