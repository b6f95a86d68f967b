// The committed results as the demo shows them: what charts, claims and tables need, without the rows.
import type { Claim, Result, Table } from './experiment.ts';
import { experiments } from './experiments/index.ts';
import type { Figure } from './figures/index.ts';
import { readResult } from './results.ts';

/** One experiment, plain JSON. */
export interface Finding {
  readonly name: string;
  /** The number of the paper's section. */
  readonly section: string;
  readonly title: string;
  /** What was measured. */
  readonly summary: string;
  /** What the paper found. */
  readonly finding: string;
  readonly claims: readonly Claim[];
  readonly figures: readonly Figure[];
  readonly table: Table;
  readonly settings: Result<unknown>['settings'];
  readonly seeds: readonly number[];
  readonly backend: string;
  readonly seconds: number;
}

/**
 * All experiments with their committed results, in the paper's order.
 *
 * @throws (rejects) if a result is not there or not whole.
 */
export async function readFindings(): Promise<Finding[]> {
  return Promise.all(
    experiments.map(async (experiment) => {
      const { name, summary, finding } = experiment;
      const result = await readResult(name);
      const { claims, settings, seeds, backend, seconds } = result;
      // '3. Whole population as a batch: the decay of the EMA'
      const [, section, title] = /^(\d+)\. (.*)$/.exec(result.section) ?? [];
      if (section === undefined || title === undefined) {
        throw new Error(`${name}: expected a section such as '3. Title', got '${result.section}'.`);
      }
      return {
        ...{ name, section, title, summary, finding, claims },
        figures: experiment.figures(result.rows),
        table: experiment.table(result),
        ...{ settings, seeds, backend, seconds },
      };
    }),
  );
}
