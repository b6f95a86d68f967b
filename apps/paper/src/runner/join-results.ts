// Results of different seeds as one: a machine's that ran some of them, and another one's, or those of a later day.

import { isDeepStrictEqual } from 'node:util';
import type { Experiment, Result } from '../experiment.ts';

/**
 * The result of the seeds of both, those of `first` first. Its claims are decided again by all rows.
 *
 * @throws Error if they are not of the same experiment with the same settings on the same backend, or have a seed in common.
 */
export function joinResults<Row>(
  experiment: Pick<Experiment<Row>, 'name' | 'claims'>,
  first: Result<Row>,
  second: Result<Row>,
): Result<Row> {
  const { name } = experiment;
  const chosen = ({ experiment, section, backend, settings }: Result<Row>) => ({
    experiment,
    section,
    backend,
    ...settings,
    seeds: null,
  });
  const [own, other]: Record<string, unknown>[] = [chosen(first), chosen(second)];
  const differing = Object.keys({ ...own, ...other }).filter(
    (key) => !isDeepStrictEqual(own![key], other![key]),
  );
  if (differing.length > 0) {
    throw new Error(
      `${name}: the results to join differ in ${differing.join(', ')}: they are of different runs.`,
    );
  }
  const common = first.seeds.filter((seed) => second.seeds.includes(seed));
  if (common.length > 0) throw new Error(`${name}: both results have seed ${common.join(', ')}.`);
  const seeds = [...first.seeds, ...second.seeds];
  const rows = [...first.rows, ...second.rows];
  return {
    ...first,
    seeds,
    settings: { ...first.settings, seeds },
    rows,
    claims: experiment.claims(rows),
    seconds: Math.round((first.seconds + second.seconds) * 10) / 10,
  };
}
