// What others show of the results: all that charts, claims and tables need, without the rows.

import type { Finding } from '@rebatch/findings';
import type { Experiment, Result } from '../experiment.ts';

/** @throws Error if the result names no section of the paper. */
export function findingOf<Row>(experiment: Experiment<Row>, result: Result<Row>): Finding {
  const { name, summary, finding } = experiment;
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
}
