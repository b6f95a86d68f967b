import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@rebatch/npm-files/testing';
import { expect, test } from 'vitest';
import { fakeBench, fakeCase, fakeLine, GPU_ORIGIN } from './fake.test.support.ts';
import { renderReport, sectionsOf } from './report.ts';
import { isUnexplained, rowsOf, verdictOf } from './row.ts';
import { writeReport } from './write-report.ts';

const fast = fakeCase({ target: 2 });
const slow = fakeCase({ case: 'op', target: 2, note: 'It is native.' });
const missing = fakeCase({ case: 'gpu', backend: 'webgpu', target: 4, needs: 'a GPU' });
const plain = fakeCase({ shape: '4x4' });
const timed = fakeCase({ case: 'switch', shape: '8x8', targetMs: 1 });
const benches = [fakeBench('bn-train', [fast, slow, missing]), fakeBench('other', [plain, timed])];
const lines = [
  fakeLine('bn-train', fast, 2),
  fakeLine('bn-train', slow, 0.5),
  fakeLine('other', plain, 0.9),
  fakeLine('other', timed, 3, GPU_ORIGIN),
];

test('a row is judged by what its case promises today', () => {
  const { rows } = rowsOf(benches, lines);
  expect(rows.map(verdictOf)).toEqual(['met', 'not met', 'not measured', 'no promise', 'not met']);
});

test('slower than the peer needs a reason: a note, or a promise that allows for it', () => {
  const row = (more: object, ratio: number) => {
    const one = fakeCase(more);
    return { bench: 'x', one, measured: fakeLine('x', one, ratio) };
  };
  expect(isUnexplained(row({}, 0.9))).toBe(true);
  expect(isUnexplained(row({}, 1))).toBe(false);
  expect(isUnexplained(row({ note: 'It is native.' }, 0.9))).toBe(false);
  expect(isUnexplained(row({ target: 0.8 }, 0.9))).toBe(false);
  expect(isUnexplained(row({ target: 0.8 }, 0.7))).toBe(true);
  expect(isUnexplained({ bench: 'x', one: fakeCase() })).toBe(false);
});

test('the report says how times grow, in the sections that measure it', () => {
  const growing = fakeLine('other', plain, 0.9);
  const line = { ...growing.line, exponents: [1.02, 0.5] as const };
  const report = renderReport(sectionsOf(benches, rowsOf(benches, [{ ...growing, line }]).rows), new Set());
  expect(report).toContain('| promised | grows as |\n');
  expect(report).toContain('|  | n^1.02, peer n^0.50 |\n');
  expect(report.match(/grows as/g)).toHaveLength(1);
});

test('the report has every case, measured or not, with its promise and its note', () => {
  const report = renderReport(sectionsOf(benches, rowsOf(benches, lines).rows), new Set(['bn-train']));
  expect(report).toContain('| 1 | Abacus | 2 | 8 GiB | Linux 1.2 x64 | v20.19.0 | none used | 2026-01-31 |');
  expect(report).toContain('| 2 | Slide rule | 2 | 8 GiB | Linux 1.2 x64 | v20.19.0 | Loom | 2026-02-01 |');
  expect(report).toContain('| [bn-train](#bn-train) | 2 of 3 | 1 of 2 | 1 of 2 |');
  expect(report).toContain('| [other](#other) | 2 of 2 | 1 of 2 | 0 of 1 |');
  expect(report).toContain(
    '| layer | wasm | 64x28x28x64 | tf.layers | 2 ms | 4 ms | 2x | 1.5x to 2.5x | ✔ >= 2x | 1 |',
  );
  expect(report).toContain(
    '| op | wasm | 64x28x28x64 | tf.layers | 2 ms | 1 ms | 0.5x | 0.375x to 0.625x | ✘ >= 2x | 1 |',
  );
  expect(report).toContain('| gpu | webgpu | 64x28x28x64 | tf.layers | not measured |  |  |  | >= 4x |  |');
  expect(report).toContain('| ✘ <= 1 ms | 2 |');
  expect(report).toContain('- op, wasm, 64x28x28x64: It is native.');
  expect(report).toContain('- gpu, webgpu, 64x28x28x64: Not measured: it needs a GPU.');
  expect(report).toContain('written down yet:\n\n- other: layer, 4x4, against tf.layers\n');
  // The joined section has the rows of bn-train again, and none of the other bench's.
  expect(report.split('| op | wasm |')).toHaveLength(3);
  expect(report.split('| layer | wasm | 4x4 |')).toHaveLength(2);
  expect(report).toContain('![bn-train: the ratios as a chart](results/bn-train.svg)');
  expect(report).not.toContain('results/other.svg');
});

test('nothing measured is a report, too', () => {
  const report = renderReport(sectionsOf(benches, rowsOf(benches, []).rows), new Set());
  expect(report).toContain('| [bn-train](#bn-train) | 0 of 3 | 0 of 0 |  |');
  expect(report).not.toContain('| machine |');
});

test('the files are the report and its charts; lines without a case are handed back', async () => {
  const folder = await temporaryFolder();
  const gone = fakeLine('bn-train', fakeCase({ case: 'gone' }));
  expect(await writeReport(benches, [...lines, gone], folder)).toEqual([gone]);
  expect(await readdir(folder)).toEqual(['RESULTS.md', 'results']);
  expect(await readdir(join(folder, 'results'))).toEqual([
    'batch-normalization.svg',
    'bn-train.svg',
    'other.svg',
  ]);
  const chart = await readFile(join(folder, 'results', 'bn-train.svg'), 'utf8');
  for (const text of ['layer, wasm', 'op, wasm', 'gpu, webgpu', 'not measured', 'log scale']) {
    expect(chart).toContain(text);
  }
  // One dot per measured row: met, and not met.
  expect(chart.match(/<circle [^>]*>/g)).toHaveLength(2);
  expect(chart).toMatch(/<circle [^>]*fill="#1a7f37"/);
  expect(chart).toMatch(/<circle [^>]*fill="#cf222e"/);
  // Charts that nothing shows any more go; what else lies there stays.
  await writeFile(join(folder, 'results', 'lines.jsonl'), '');
  await writeReport(benches, lines.slice(0, 2), folder);
  expect(await readdir(join(folder, 'results'))).toEqual([
    'batch-normalization.svg',
    'bn-train.svg',
    'lines.jsonl',
  ]);
});

test('points stand where their ratio is, on a log scale', async () => {
  const folder = await temporaryFolder();
  const cases = [1, 10, 100].map((ratio) => fakeCase({ case: `case ${ratio}` }));
  await writeReport(
    [fakeBench('scale', cases)],
    cases.map((one, i) => fakeLine('scale', one, 10 ** i)),
    folder,
  );
  const chart = await readFile(join(folder, 'results', 'scale.svg'), 'utf8');
  const [first, second, third] = [...chart.matchAll(/<circle [^>]*cx="([\d.]+)"/g)].map(([, x]) => Number(x));
  expect(first).toBeLessThan(second!);
  expect(third! - second!).toBeCloseTo(second! - first!, 3);
});
