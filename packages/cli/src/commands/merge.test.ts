import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeBlocks, makeSequential } from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BadSample } from '../data/data.ts';
import { startBackend } from '../model/backend.ts';
import { float32, npy } from '../testing/arrays.ts';
import { writeLayers } from '../testing/models.ts';
import { random, withNetwork } from '../testing/network.ts';
import { writeFiles } from '../testing/pictures.ts';
import { contentsOf, rebatch, rebatchJson } from '../testing/run-cli.ts';

beforeAll(() => startBackend('wasm'));

describe('shards and merge', () => {
  const layers = async (path: string) => {
    const file = JSON.parse(await readFile(path, 'utf8')) as {
      sites: { mean: number[]; variance: number[] }[];
    };
    return file.sites;
  };

  test('give what one run gives, whatever the number and the order of the files', () =>
    withNetwork(async ({ folder, model, data }) => {
      const [whole, merged] = [join(folder, 'whole.json'), join(folder, 'merged.json')];
      await rebatchJson('recalibrate', model, data, '--batch-size', '8', '--statistics', whole);
      for (const of of [1, 3, 8]) {
        const files: string[] = [];
        for (let i = 1; i <= of; i++) {
          files.push(join(folder, `part-${i}-${of}.json`));
          await rebatchJson(
            'recalibrate',
            model,
            data,
            '--batch-size',
            '8',
            '--shard',
            `${i}/${of}`,
            '--states',
            files.at(-1)!,
          );
        }
        const args = ['--statistics', merged, '--overwrite'];
        const result = await rebatchJson<{ samples: number }>('merge', model, ...files.reverse(), ...args);
        expect(result.samples).toBe(60);
        const expected = await layers(whole);
        for (const [i, { mean, variance }] of (await layers(merged)).entries()) {
          // Both were rounded to float32.
          expectClose(mean, expected[i]!.mean, 1.2e-7);
          expectClose(variance, expected[i]!.variance, 1.2e-7);
        }
      }
    }));

  test('name what was left out of each part', () =>
    withNetwork(async ({ folder, model }) => {
      const values = Float32Array.from({ length: 60 * 5 }, (_, i) => Math.sin(i));
      for (const i of [8, 299]) values[i] = Number.NaN;
      await writeFiles(folder, { 'holes.npy': npy('<f4', [60, 5], float32([...values])) });
      const common = ['--batch-size', '8', '--skip-bad', '--shard'];
      const files = [1, 2].map((i) => join(folder, `part-${i}.json`));
      for (const [i, file] of files.entries()) {
        const args = [...common, `${i + 1}/2`, '--states', file];
        await rebatchJson('recalibrate', model, join(folder, 'holes.npy'), ...args);
      }
      const args = ['merge', model, ...files.reverse(), '--overwrite'];
      const { samples, bad } = await rebatchJson<{ samples: number; bad: BadSample[] }>(...args);
      expect(samples).toBe(58);
      expect(bad.map(({ name, reason }) => `${name} ${reason}`).sort()).toEqual([
        'sample 1 of holes.npy has NaN at value 3',
        'sample 59 of holes.npy has NaN at value 4',
      ]);
      expect((await rebatch(...args)).out).toContain('Left out: 2 that could not be read.');
    }));

  test('brings along how inputs were prepared', () =>
    withNetwork(async ({ folder, model, data }) => {
      const common = ['--batch-size', '8', '--force', '--preset', '-1..1'];
      const part = (i: number) => join(folder, `part-${i}.json`);
      for (const i of [1, 2]) {
        await rebatchJson('recalibrate', model, data, ...common, '--shard', `${i}/2`, '--states', part(i));
      }
      const preprocessingOf = async (path: string) =>
        (JSON.parse(await readFile(path, 'utf8')) as { preprocessing: { scale: number } }).preprocessing;
      expect((await preprocessingOf(part(1))).scale).toBe(1 / 127.5);
      // As on another machine, where nothing lies beside the model.
      for (const file of await readdir(folder)) {
        if (file.endsWith('.rebatch.json')) await rm(join(folder, file));
      }
      await rebatchJson('merge', model, part(1), part(2), '--out', join(folder, 'merged'));
      const beside = join(folder, 'merged', 'model.rebatch.json');
      expect(await preprocessingOf(beside)).toEqual(await preprocessingOf(part(1)));
      const other = ['--batch-size', '8', '--force', '--preset', '0..255'];
      await rebatchJson('recalibrate', model, data, ...other, '--shard', '2/2', '--states', part(2));
      const { code, err } = await rebatch('merge', model, part(1), part(2), '--overwrite');
      expect([code, err]).toEqual([4, expect.stringContaining('data that was read in different ways')]);
    }));

  test.each([
    [['--out', 'x'], '--out'],
    [['--in-place'], '--in-place'],
    [['--report', 'x.html'], '--report'],
    [['--statistics', 'x.json'], '--statistics'],
    [['--workers', '2'], '--workers'],
  ])('refuses what a part has no use for: %j', (flags, named) =>
    withNetwork(async ({ folder, model, data }) => {
      const before = await contentsOf(folder);
      const states = join(folder, 'states.json');
      const args = ['recalibrate', model, data, '--shard', '1/2', '--states', states, ...flags];
      const { code, err } = await rebatch(...args);
      expect([code, err]).toEqual([2, expect.stringContaining(`--shard does not go with ${named}:`)]);
      expect(await contentsOf(folder)).toEqual(before);
    }),
  );

  test('refuses parts that do not belong together', () =>
    withNetwork(async ({ folder, model, data }) => {
      const part = async (name: string, ...args: string[]) => {
        const path = join(folder, name);
        await rebatchJson('recalibrate', model, data, '--states', path, ...args);
        return path;
      };
      const first = await part('1.json', '--shard', '1/2');
      const second = await part('2.json', '--shard', '2/2');
      const other = await part('other.json', '--shard', '2/2', '--seed', '5');
      const odd = await part('odd.json', '--shard', '2/2', '--batch-size', '7');
      // As earlier releases wrote them.
      const whole = JSON.parse(await readFile(await part('whole.json', '--estimator', 'ema'), 'utf8'));
      const [ema1, ema] = [join(folder, 'ema1.json'), join(folder, 'ema.json')];
      const asPart = (from: number, to: number) =>
        JSON.stringify({ ...whole, shard: { from, to, of: 60 }, samples: to - from });
      await writeFile(ema1, asPart(0, 32));
      await writeFile(ema, asPart(32, 60));
      const wrong: readonly (readonly [string[], RegExp])[] = [
        [[first], /Samples 32 to 60 of 60 are in no part/],
        [[second], /Samples 0 to 32 of 60 are in no part/],
        [[first, second, second], /of which others have some, too/],
        [[first, other], /are parts of different data/],
        [[first, odd], /are parts of different data/],
        [[ema1, ema], /depend on the order of batches and cannot be merged/],
        [[first, data], /expected estimators of a shard as JSON/],
        [[join(folder, 'none.json')], /none\.json does not exist/],
      ];
      const before = await contentsOf(folder);
      for (const [files, reason] of wrong) {
        const { code, err } = await rebatch('merge', model, ...files);
        expect(err).toMatch(reason);
        expect(code).toBe(4);
      }
      const unlike = await rebatch(
        'merge',
        await writeLayers(makeSequential(makeBlocks(random, [5, 6, 4])), join(folder, 'b')),
        first,
        second,
      );
      expect(unlike.err).toMatch(/was measured on another model/);
      for (const [args, reason] of [
        [['--shard', '1/2'], /say with --states/],
        [['--shard', '3/2', '--states', 'x'], /Expected a part, as 1\/4/],
        [['--shard', '1/99', '--states', 'x'], /fewer batches than 99 parts/],
        [['--shard', '1/2', '--states', 'x', '--mode', 'layerwise'], /use mode batch/],
        [['--shard', '1/2', '--states', 'x', '--estimator', 'ema'], /'ema' makes of parts cannot be merged/],
      ] as const) {
        const { code, err } = await rebatch('recalibrate', model, data, ...args);
        expect(err).toMatch(reason);
        expect(code).toBe(2);
      }
      const { 'b/group1-shard1of1.bin': _, 'b/model.json': __, ...after } = await contentsOf(folder);
      expect(after).toEqual(before);
    }));
});
