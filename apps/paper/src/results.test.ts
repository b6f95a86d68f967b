import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Result } from './experiment.ts';
import { experiments } from './experiments/index.ts';
import { renderChart } from './render/chart.ts';
import { checkResult, RESULTS_FOLDER, writeResult } from './results.ts';

const result: Result<unknown> = {
  experiment: 'some-experiment',
  section: '3',
  seeds: [1],
  backend: 'wasm',
  settings: {},
  rows: [{ error: 0.5 }],
  claims: [{ claim: 'a', measured: 'b', holds: true }],
  seconds: 1,
};

test('a result is checked before it is written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-'));
  await writeResult(result, '<svg/>', folder);
  expect(JSON.parse(await readFile(join(folder, 'some-experiment.json'), 'utf8'))).toEqual(result);
  expect(await readdir(folder)).toHaveLength(2);
  for (const bad of [
    { ...result, rows: [] },
    { ...result, seeds: ['1'] },
    { ...result, claims: [{ claim: 'a', measured: 'b', holds: false }] },
    { ...result, extra: 1 },
  ]) {
    await expect(writeResult(bad as Result<unknown>, '<svg/>', folder)).rejects.toThrow(/not a result/);
  }
});

test.each(experiments.map((e) => [e.name, e] as const))(
  'the committed result of %s is whole',
  async (name, experiment) => {
    const committed: unknown = JSON.parse(await readFile(join(RESULTS_FOLDER, `${name}.json`), 'utf8'));
    checkResult(committed);
    expect(committed.settings.quick).toBe(false);
    expect(committed.backend).toBe('wasm');
    // The chart and the claims follow from the rows that are committed with them.
    expect(renderChart(experiment, committed)).toBe(
      await readFile(join(RESULTS_FOLDER, `${name}.svg`), 'utf8'),
    );
    expect(experiment.claims(committed.rows)).toEqual(committed.claims);
  },
);
