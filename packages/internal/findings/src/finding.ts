import type { Table } from '@rebatch/report';
import type { Figure } from '@rebatch/report/figures';

/** A finding of the paper, what we measured, and whether the measurement bears it out. */
export interface Claim {
  readonly claim: string;
  readonly measured: string;
  readonly holds: boolean;
  /** Why, in one sentence; required where the claim does not hold. */
  readonly why?: string;
}

/** What one experiment found, plain JSON: all that charts, claims and tables need. */
export interface Finding {
  /** Of the experiment. */
  readonly name: string;
  /** The number of the paper's section. */
  readonly section: string;
  readonly title: string;
  /** What was measured. */
  readonly summary: string;
  /** What the paper found, in a sentence or two of our own. */
  readonly finding: string;
  readonly claims: readonly Claim[];
  /** The first is the main one. */
  readonly figures: readonly Figure[];
  readonly table: Table;
  /** Everything that was chosen. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seeds: readonly number[];
  readonly backend: string;
  /** Time of all seeds together. */
  readonly seconds: number;
}
