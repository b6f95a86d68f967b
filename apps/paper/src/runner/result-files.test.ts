import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Result } from '../experiment.ts';
import { experiments } from '../experiments/index.ts';
import { renderChart } from '../report/chart.ts';
import { RESULTS_FOLDER, readResults, writeResult } from './result-files.ts';

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

const run = (await readResults(experiments)).filter(([, result]) => result !== undefined);

test.each(run.map(([experiment, result]) => [experiment.name, experiment, result!] as const))(
  'the committed result of %s is whole',
  async (name, experiment, committed) => {
    expect(committed.settings.quick).toBe(false);
    expect(committed.settings.seeds).toEqual(committed.seeds);
    expect(committed.backend).toBe('wasm');
    // The chart and the claims follow from the rows that are committed with them.
    expect(renderChart(experiment, committed)).toBe(
      await readFile(join(RESULTS_FOLDER, `${name}.svg`), 'utf8'),
    );
    expect(experiment.claims(committed.rows)).toEqual(committed.claims);
  },
);

test('a result without an experiment is not kept', async () => {
  const names = (await readdir(RESULTS_FOLDER)).filter((file) => file.endsWith('.json'));
  expect(names.sort()).toEqual(run.map(([{ name }]) => `${name}.json`).sort());
});
