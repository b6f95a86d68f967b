import type { Experiment, Result } from '../experiment.ts';
import { renderTable } from './table.ts';

/** A result for reading in a terminal: its table, then its claims. */
export function renderResult<Row>(experiment: Experiment<Row>, result: Result<Row>): string {
  const claims = result.claims.map(({ claim, measured, holds, why }) =>
    [
      `${holds ? '✔ holds' : '✘ does not hold'}: ${claim}`,
      `  ${measured}`,
      ...(why ? [`  ${why}`] : []),
    ].join('\n'),
  );
  return [
    `${result.experiment} (Sec. ${result.section}), ${result.backend}, ${result.seconds} s`,
    renderTable(experiment.table(result)),
    ...claims,
  ].join('\n');
}
