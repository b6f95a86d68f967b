// What an experiment is: a run per seed that yields rows, and claims that are decided by those rows alone.

import type { Claim } from '@rebatch/findings';
import type { Progress } from '@rebatch/npm-files';
import type { Table } from '@rebatch/report';
import type { Figure } from '@rebatch/report/figures';

/** What `pnpm paper` writes: one file per experiment, explained by itself. */
export interface Result<Row> {
  readonly experiment: string;
  /** The paper's section. */
  readonly section: string;
  readonly seeds: readonly number[];
  readonly backend: string;
  /** Everything that was chosen, so that the numbers can be read years later. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly rows: readonly Row[];
  readonly claims: readonly Claim[];
  /** Time of all seeds together, whether they ran one after another or side by side. */
  readonly seconds: number;
}

/** What every experiment's settings have. */
export interface SeedSettings {
  readonly seeds: readonly number[];
}

/** What a run of one seed is given beside its settings. */
export interface SeedContext {
  readonly signal: AbortSignal;
  /** Called after each of the {@link Experiment.steps}. */
  advance(what: string): void;
}

/** What {@link Experiment.prepare} is given beside its settings. */
export interface PrepareContext {
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** One experiment of the paper. Seeds are independent, so that they can run side by side. */
export interface Experiment<Row = unknown, Settings extends SeedSettings = SeedSettings> {
  readonly name: string;
  readonly section: string;
  readonly summary: string;
  /** What the paper found, in a sentence or two of our own. */
  readonly finding: string;
  /** The name of an experiment whose seeds must have run before this one's, for what they leave on disk. */
  readonly needs?: string;
  /** Plain JSON. `quick`: a smaller run of the same code, for a first look. */
  settings(quick: boolean): Settings;
  /**
   * Fetches what the seeds need and the workspace does not have; called once, before the first of them. Starts and stops
   * the progress where there is something to wait for.
   *
   * @throws (rejects) with the signal's reason, or an Error that says what is missing and what to do.
   */
  prepare?(settings: Settings, context: PrepareContext): Promise<void>;
  /** How often {@link runSeed} calls `advance`. */
  steps(settings: Settings): number;
  /** The rows of one seed, the same every time. */
  runSeed(seed: number, settings: Settings, context: SeedContext): Promise<Row[]>;
  /** The paper's findings, decided by the rows. */
  claims(rows: readonly Row[]): Claim[];
  /** The rows as a table, for the terminal and the report. */
  table(result: Result<Row>): Table;
  /** The rows as figures; the first is the main one. */
  figures(rows: readonly Row[]): Figure[];
}
