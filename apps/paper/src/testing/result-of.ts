import type { Experiment, Result } from '../experiment.ts';

/** A result with these rows, for the tests of tables and charts. */
export function resultOf<Row>(experiment: Experiment<Row>, rows: readonly Row[]): Result<Row> {
  const { name, section } = experiment;
  return {
    experiment: name,
    section,
    seeds: [1, 2],
    backend: 'wasm',
    settings: {},
    rows,
    claims: experiment.claims(rows),
    seconds: 1,
  };
}
