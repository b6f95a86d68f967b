// What a bench is: a named list of cases. One file per bench in `benches/`; `registry.ts` lists them.

import type { CaseLabel } from './line.ts';
import type { Measurement } from './measure.ts';

export interface BenchCase extends CaseLabel {
  /** The ratio that this case must reach, where one was promised. */
  readonly target?: number;
  /** What it needs beside this machine's processor, such as `a GPU`: why it may not be measured. */
  readonly needs?: string;
  /** Sets up, measures and cleans up. */
  readonly measure: () => Promise<Measurement>;
}

export interface Bench {
  readonly name: string;
  /** One sentence for `--list`. */
  readonly summary: string;
  /** The cases; nothing is set up before a case is measured. */
  readonly cases: () => readonly BenchCase[];
}
