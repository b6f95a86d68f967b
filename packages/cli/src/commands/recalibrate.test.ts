import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecalibrationReport } from '@rebatch/recalibrate';
import { cut, exactReference, preciseReference } from '@rebatch/test-models';
import { expectClose } from '@rebatch/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../model/backend.ts';
import type { RepairOutput } from '../report/repair-report.ts';
import { float32, npy } from '../testing/arrays.ts';
import { asFloats, pictureModel, weightsIn, writeLayers } from '../testing/models.ts';
import { blocks, random, values, withNetwork } from '../testing/network.ts';
import { inFolder, plain, writeFiles } from '../testing/pictures.ts';
import { contentsOf, rebatch, rebatchJson } from '../testing/run-cli.ts';

beforeAll(() => startBackend('wasm'));

describe('recalibrate', () => {
  test.each([
    ['layerwise' as const, () => exactReference(values, blocks)],
    ['batch' as const, () => preciseReference(cut(values, 5, 20), blocks)],
  ])('mode %s writes the statistics of float64 loops, and nothing else', (mode, reference) =>
    withNetwork(async ({ folder, model, data }) => {
      const before = await contentsOf(folder);
      const args = ['--mode', mode, '--batch-size', '20', '--no-shuffle'];
      const result = await rebatchJson<RepairOutput>('recalibrate', model, data, ...args);
      expect(result.written).toEqual([join(folder, 'net-recalibrated/model.json')]);
      expect(result.report).toMatchObject({
        samples: 60,
        batches: 3,
        mode,
      } satisfies Partial<RecalibrationReport>);
      const { 'net-recalibrated/group1-shard1of1.bin': _, ...after } = await contentsOf(folder);
      expect(after).toMatchObject(before);
      expect(Object.keys(after)).toEqual(['net-recalibrated/model.json', ...Object.keys(before)]);
      const [old, fresh] = [await weightsIn(model), await weightsIn(`${model}-recalibrated`)];
      expect(Object.keys(fresh)).toEqual(Object.keys(old));
      for (const [i, { mean, variance }] of reference().entries()) {
        expectClose(asFloats(fresh[`bn${i}/moving_mean`]!), mean, 1e-5);
        expectClose(asFloats(fresh[`bn${i}/moving_variance`]!), variance, 1e-5);
      }
      for (const name of Object.keys(old).filter((one) => !one.includes('moving'))) {
        expect(fresh[name], name).toEqual(old[name]);
      }
    }),
  );

  test('the order of samples is shuffled by the seed, and the same each time', () =>
    withNetwork(async ({ model, data }) => {
      const run = async (...args: string[]) => {
        await rebatchJson('recalibrate', model, data, '--batch-size', '20', '--overwrite', ...args);
        return weightsIn(`${model}-recalibrated`);
      };
      const first = await run();
      expect(await run()).toEqual(first);
      expect(await run('--seed', '1')).not.toEqual(first);
      expect(await run('--mode', 'layerwise', '--no-shuffle')).not.toEqual(first);
    }));

  test('--dry-run writes nothing, and says what it would', () =>
    withNetwork(async ({ folder, model, data }) => {
      const before = await contentsOf(folder);
      const { code, out } = await rebatch(
        'recalibrate',
        model,
        data,
        '--dry-run',
        '--report',
        join(folder, 'r.html'),
      );
      expect(code).toBe(0);
      expect(out).toContain(`Dry run: nothing was written. The model would be in ${model}-recalibrated.`);
      expect(await contentsOf(folder)).toEqual(before);
    }));

  test('never writes over what is there unless told, and in place only if told', () =>
    withNetwork(async ({ folder, model, data }) => {
      expect((await rebatch('recalibrate', model, data, '--out', join(folder, 'new/deep'))).code).toBe(0);
      const before = await contentsOf(folder);
      for (const out of [join(folder, 'new/deep'), model, data]) {
        const { code, err } = await rebatch('recalibrate', model, data, '--out', out);
        expect(code, out).toBe(6);
        expect(err).toMatch(/is there already\. .*--overwrite|is the model itself.*--in-place/);
      }
      expect(await contentsOf(folder)).toEqual(before);
      expect((await rebatch('recalibrate', model, data, '--in-place', '--out', folder)).code).toBe(2);
      expect((await rebatch('recalibrate', model, data, '--in-place')).code).toBe(0);
      const recalibrated = await weightsIn(join(folder, 'new/deep'));
      expect(await weightsIn(model)).toEqual(recalibrated);
      // And again, with a file of the preprocessing that lies there by now.
      for (const flags of [['--scale', '1'], []]) {
        expect((await rebatch('recalibrate', model, data, '--in-place', ...flags)).code).toBe(0);
      }
      expect(Object.keys(await contentsOf(model))).toEqual([
        'group1-shard1of1.bin',
        'model.json',
        'model.rebatch.json',
      ]);
    }));

  test('keeps beside the model what the command line says of the inputs, and reads it there', () =>
    withNetwork(async ({ model, data }) => {
      const run = (...args: string[]) =>
        rebatchJson<RepairOutput>('recalibrate', model, data, '--overwrite', ...args);
      expect((await run()).data).toMatchObject({ preprocessingFrom: 'default', preprocessing: { scale: 1 } });
      const told = await run('--scale', '1/2', '--mean', '0.25');
      expect(told.written).toContain(join(model, 'model.rebatch.json'));
      expect(told.data).toMatchObject({
        preprocessingFrom: 'flags',
        preprocessing: { scale: 0.5, mean: [0.25], std: [1] },
      });
      const remembered = await run();
      expect(remembered.data).toMatchObject({
        preprocessingFrom: 'file',
        preprocessing: { scale: 0.5, mean: [0.25] },
      });
      const half = values.map((value) => value / 2 - 0.25);
      const [expected] = exactReference(half, blocks);
      expectClose(
        asFloats((await weightsIn(`${model}-recalibrated`))['bn0/moving_mean']!),
        expected!.mean,
        1e-5,
      );
      // The new model brings it along.
      const next = await rebatchJson<RepairOutput>('recalibrate', `${model}-recalibrated`, data);
      expect(next.data.preprocessingFrom).toBe('file');
    }));

  test.each([1, 3])('what arrays are by default is kept for no pictures, of %i channels', (channels) =>
    inFolder(async (folder) => {
      const model = await writeLayers(pictureModel({ channels }), join(folder, 'net'));
      const [bytes, floats, photos] = ['bytes.npy', 'floats.npy', 'photos'].map((name) => join(folder, name));
      const shape = [8, 8, 8, channels];
      const numbers = random.normals(512 * channels, 0, 1);
      await writeFiles(folder, {
        'floats.npy': npy('<f4', shape, float32([...numbers])),
        'bytes.npy': npy(
          '|u1',
          shape,
          Uint8Array.from(numbers, (value) => 128 + 30 * value),
        ),
      });
      for (let i = 0; i < 6; i++)
        await writeFiles(folder, { [`photos/${i}.png`]: await plain([30 * i, 30 * i, 200 - 30 * i], 9) });
      const run = async (of: string, ...flags: string[]) => {
        await rebatchJson('recalibrate', model, of, '--out', join(folder, 'out'), '--overwrite', ...flags);
        return JSON.parse(await readFile(join(folder, 'out/model.rebatch.json'), 'utf8').catch(() => '{}'));
      };
      for (const arrays of [floats!, bytes!]) expect(await run(arrays)).toEqual({});
      // What somebody said is kept, and nothing else.
      const said = await run(floats!, '--scale', '1/4');
      expect(said.preprocessing).toEqual({ scale: 0.25, mean: [0], std: [1] });
      await rm(join(folder, 'net/model.rebatch.json'));
      await rebatchJson('recalibrate', model, floats!, '--in-place');
      const { preprocessing } = (
        await rebatchJson<RepairOutput>('recalibrate', model, photos!, '--dry-run', '--force')
      ).data;
      const color = channels === 1 ? 'gray' : 'rgb';
      expect(preprocessing).toMatchObject({ size: [8, 8], color, scale: 1 / 255 });
      // Nor what an earlier release wrote of arrays.
      const old = {
        size: null,
        fit: 'cover',
        color: 'rgb',
        scale: 1 / 255,
        mean: [0],
        std: [1],
        layout: 'nhwc',
      };
      const text = JSON.stringify({ format: 'rebatch-preprocessing', version: 1, preprocessing: old });
      await writeFiles(folder, { 'net/model.rebatch.json': text });
      const again = await rebatchJson<RepairOutput>('recalibrate', model, photos!, '--dry-run', '--force');
      expect(again.data).toMatchObject({
        preprocessingFrom: 'file',
        preprocessing: { color, scale: 1 / 255 },
      });
    }),
  );

  test('the report is a page that needs nothing else', () =>
    withNetwork(async ({ folder, model, data }) => {
      const report = join(folder, 'deep/report.html');
      await rebatchJson('recalibrate', model, data, '--report', report);
      const html = await readFile(report, 'utf8');
      expect(html).toMatch(/^<!doctype html>/);
      expect(html).toContain('<svg');
      expect(html).toContain('>bn1</text>');
      expect(html.replaceAll('http://www.w3.org', '')).not.toMatch(
        /https?:\/\/|<script|<link|src="(?!data:)/,
      );
    }));

  test('an aborted run ends with 130, and writes nothing', () =>
    withNetwork(async ({ folder, model, data }) => {
      const before = await contentsOf(folder);
      const { rebatchWith } = await import('../testing/run-cli.ts');
      const { code, err } = await rebatchWith(
        AbortSignal.abort(new Error('stop')),
        'recalibrate',
        model,
        data,
      );
      expect([code, err]).toEqual([130, 'Interrupted. Nothing was written.\n']);
      expect(await contentsOf(folder)).toEqual(before);
    }));
});
