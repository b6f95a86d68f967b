// A tiny experiment to test the runner with: it trains nothing, but is asynchronous and seeded, and reports its progress.

import { setTimeout } from 'node:timers/promises';
import type { Experiment } from '../experiment.ts';

export interface FakeRow {
  readonly seed: number;
  readonly value: number;
}

interface FakeSettings {
  readonly seeds: readonly number[];
  readonly factor: number;
  /** A seed that fails, and one that never ends. */
  readonly failing?: number;
  readonly hanging?: number;
  /** Why it cannot be prepared. */
  readonly missing?: string;
}

/** Each seed has two rows: the seed and twice the seed, times the factor. */
export function fakeExperiment(name: string, settings: FakeSettings): Experiment<FakeRow, FakeSettings> {
  return {
    name,
    section: '0. Nothing',
    summary: 'multiples of the seed',
    finding: 'Seeds have multiples.',
    settings: () => settings,
    steps: () => 2,
    async prepare({ missing }, { signal, progress }) {
      progress.start(1, `preparing ${name}`);
      await setTimeout(1, undefined, { signal }).finally(() => progress.stop());
      if (missing !== undefined) throw new Error(missing);
    },
    async runSeed(seed, { factor, failing, hanging }, { signal, advance }) {
      const rows: FakeRow[] = [];
      for (const times of [1, 2]) {
        await setTimeout(seed === hanging ? 1_000_000 : 1, undefined, { signal });
        if (seed === failing) throw new Error(`seed ${seed} fails`);
        rows.push({ seed, value: times * factor * seed });
        advance(`seed ${seed}, times ${times}`);
      }
      return rows;
    },
    claims: (rows) => [
      {
        claim: 'Values are positive.',
        measured: `${rows.length} values`,
        holds: rows.every((r) => r.value > 0),
      },
    ],
    table: ({ rows }) => ({ head: ['seed', 'value'], body: rows.map((r) => [`${r.seed}`, `${r.value}|`]) }),
    figures: (rows) => [
      {
        kind: 'conditions',
        conditions: ['seeds'],
        names: ['value'],
        points: rows.map(({ value }) => ({
          condition: 'seeds',
          measure: 'value',
          value,
          low: value,
          high: value,
        })),
        x: { label: 'value' },
      },
    ],
  };
}
