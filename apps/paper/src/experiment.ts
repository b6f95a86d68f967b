// What an experiment is: a run over seeds that yields rows, and claims that are decided by those rows alone.

/** A finding of the paper, what we measured, and whether the measurement bears it out. */
export interface Claim {
  readonly claim: string;
  readonly measured: string;
  readonly holds: boolean;
  /** Why, in one sentence; required where the claim does not hold. */
  readonly why?: string;
}

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
  readonly seconds: number;
}

/** Where a run is. `total` counts steps of roughly equal cost. */
export interface Progress {
  start(total: number, what: string): void;
  advance(what: string, steps?: number): void;
  stop(): void;
}

export interface RunOptions {
  /** A smaller run of the same code, for a first look. */
  readonly quick: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** One experiment of the paper. */
export interface Experiment<Row = unknown> {
  readonly name: string;
  readonly section: string;
  readonly summary: string;
  run(options: RunOptions): Promise<Pick<Result<Row>, 'seeds' | 'settings' | 'rows'>>;
  /** The paper's findings, decided by the rows. */
  claims(rows: readonly Row[]): Claim[];
  /** The rows as a table for the terminal: a header and its cells. */
  table(result: Result<Row>): { head: string[]; body: string[][] };
  /** The chart as SVG text. */
  chart(result: Result<Row>): string;
}
