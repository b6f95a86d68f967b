// The command line, run as users run it. What the numbers are is not looked at, only that they are numbers.

import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@rebatch/npm-files/testing';
import { describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../bin/bench.js', import.meta.url));

function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('..', import.meta.url)),
  });
  return { status, stdout, stderr };
}

describe('bench --json', () => {
  it('prints one valid object per case and nothing else', () => {
    const { status, stdout, stderr } = bench('merge', '--json', '--case', '100x16');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = stdout.split('\n');
    expect(lines.pop()).toBe('');
    expect(lines).toHaveLength(2);
    const positive = expect.toSatisfy((value) => Number.isFinite(value) && value > 0);
    for (const text of lines) {
      const line = JSON.parse(text);
      expect(line).toEqual({
        bench: 'merge',
        case: expect.any(String),
        backend: 'none',
        shape: '100x16',
        ours_ms: positive,
        peer: 'a plain loop',
        peer_ms: positive,
        ratio: positive,
        spread: [positive, positive],
        note: expect.stringContaining('checks nothing'),
      });
      expect(line.spread[0]).toBeLessThanOrEqual(line.ratio);
      expect(line.spread[1]).toBeGreaterThanOrEqual(line.ratio);
    }
  });

  it('keeps the libraries that greet on the console out of it', () => {
    const { stdout } = bench('bn-train', '--json', '--case', 'rank 2');
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({ bench: 'bn-train', backend: 'wasm', shape: '1024x512' });
  });
});

describe('bench --report', () => {
  it('keeps what was measured, and renders it together with what was measured before', async () => {
    const folder = await temporaryFolder();
    const first = bench('merge', '--report', '--case', 'mergeAllMoments 100x16', '--out', folder);
    expect(first).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('RESULTS.md') });
    const { stdout } = bench('merge', '--json', '--machine', '--case', '100x256');
    const earlier = join(folder, 'earlier.jsonl');
    await writeFile(earlier, stdout);
    expect(bench('--report', '--from', earlier, '--out', folder).status).toBe(0);
    const report = await readFile(join(folder, 'RESULTS.md'), 'utf8');
    expect(report).toContain('| [merge](#merge) | 3 of 4 |');
    expect(report).toContain(`| ${process.version} |`);
    expect(report).toContain('![merge: the ratios as a chart](results/merge.svg)');
    const lines = await readFile(join(folder, 'results', 'lines.jsonl'), 'utf8');
    // Both are of this machine and this day (or of two days, around midnight).
    expect(lines.match(/"machine":/g)!.length).toBeLessThanOrEqual(2);
    expect(lines.match(/"bench":"merge"/g)).toHaveLength(3);
  });
});

describe('bench', () => {
  it('prints a table without --json', () => {
    const { status, stdout } = bench('merge', '--case', 'mergeAllMoments 100x16');
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^bench +case/),
      expect.stringMatching(/x\.\./),
    ]);
  });

  it('lists every bench and case without running them', () => {
    const { status, stdout } = bench('--list');
    expect(status).toBe(0);
    for (const name of [
      'bn-train',
      'bn-frozen',
      'bn-groups',
      'bn-domains',
      'cnn-step',
      'conv-grads',
      'bn-webgpu',
      'peers',
      'recalibrate',
      'adapt-online',
      'domain-switch',
      'merge',
    ]) {
      expect(stdout).toMatch(new RegExp(`^${name}: .+\n  .+, against .+`, 'm'));
    }
    expect(stdout).toContain('64x28x28x64, against tf.layers.batchNormalization (>= 40x)');
    expect(stdout).toContain('50x64, against applyStatistics (<= 1 ms)');
  });

  it.each([
    [
      ['bn-trian'],
      "no bench is named 'bn-trian'; there are: bn-train, bn-frozen, bn-groups, bn-domains, cnn-step",
    ],
    [['toString'], "no bench is named 'toString'"],
    [['merge', '--case', 'nowhere'], "no case matches 'nowhere'; try --list"],
    [['--from', 'x.jsonl'], 'error: --from is for --report'],
    [['--report', '--from', 'nowhere.jsonl'], 'no such file or directory'],
    [['--jsn'], "unknown option '--jsn'"],
  ])('explains what is wrong with %s', (args, message) => {
    const { status, stdout, stderr } = bench(...args);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
  });
});
