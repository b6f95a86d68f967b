import { mkdir, readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OutputError } from '../errors.ts';
import { besideModel, sidecarOf } from '../model/paths.ts';
import { shiftChart } from '../report/charts.ts';
import { renderPage } from '../report/page.ts';
import { plainTable } from '../report/table.ts';
import { inFolder, writeFiles } from '../testing/pictures.ts';
import { writeAtomically } from './write-atomically.ts';

describe('a file', () => {
  test('is written whole, over what was there, in folders that are made', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'a/b/c.json');
      await writeAtomically(path, 'one');
      await writeAtomically(path, 'two');
      expect(await readFile(path, 'utf8')).toBe('two');
      expect(await readdir(join(folder, 'a/b'))).toEqual(['c.json']);
    }));

  test('that cannot be written leaves what was there, and nothing else', () =>
    inFolder(async (folder) => {
      await mkdir(join(folder, 'taken'));
      await writeFiles(folder, { file: 'mine', 'taken/file': 'mine, too' });
      for (const path of ['taken', 'file/below']) {
        await expect(writeAtomically(join(folder, path), 'x')).rejects.toThrow(OutputError);
      }
      expect((await readdir(folder)).sort()).toEqual(['file', 'taken']);
      expect(await readdir(join(folder, 'taken'))).toEqual(['file']);
    }));
});

test('names beside a model', () =>
  inFolder(async (folder) => {
    await writeFiles(folder, { 'net/model.json': '{}', 'net.keras': '' });
    const beside = (name: string) =>
      [besideModel(join(folder, name), '-new'), sidecarOf(join(folder, name))].map((path) =>
        path?.slice(folder.length),
      );
    expect(beside('net')).toEqual(['/net-new', '/net/model.rebatch.json']);
    expect(beside('net/')).toEqual(['/net-new', '/net/model.rebatch.json']);
    expect(beside('net/model.json')).toEqual(['/net/model-new', '/net/model.rebatch.json']);
    // What ends in no name has one all the same, and the result is never in the folder itself.
    for (const name of ['net/.', 'net/./', 'net/deep/..']) {
      await mkdir(join(folder, 'net/deep'), { recursive: true });
      expect(besideModel(`${folder}/${name}`, '-new'), name).toBe(`${await realpath(folder)}/net-new`);
    }
    const home = process.cwd();
    try {
      process.chdir(join(folder, 'net/deep'));
      expect(besideModel('..', '-new')).toBe(`${await realpath(folder)}/net-new`);
      process.chdir('..');
      expect(besideModel('.', '.reference.json')).toBe(`${await realpath(folder)}/net.reference.json`);
      expect(besideModel('./', '-new')).toBe(`${await realpath(folder)}/net-new`);
    } finally {
      process.chdir(home);
    }
    expect(() => besideModel('/', '-new')).toThrow(/has no name.*--out/);
    expect(beside('net.keras')).toEqual(['/net-new', '/net.rebatch.json']);
    const address = 'https://host.example/models/net/model.json?v=1';
    expect([besideModel(address, '-new'), sidecarOf(address)]).toEqual(['model-new', undefined]);
  }));

test('a page shows what comes from files as text, whatever it is', async () => {
  const evil = '</title><script>alert(1)</script><img src=x onerror="alert(1)">';
  const shift = { mean: { rms: 1, max: 2 }, variance: { rms: 0.5, max: 1 } };
  const html = renderPage({
    title: evil,
    lines: [evil],
    advice: [evil],
    charts: [await shiftChart(evil, [{ name: evil, shift }])],
    pictures: {
      before: 'before',
      after: 'after',
      list: [{ name: evil, png: Uint8Array.of(1, 2, 3), before: evil, after: evil, changed: true }],
    },
    details: evil,
  });
  expect(html).not.toMatch(/<script|<img src=x/);
  expect(html).toContain('src="data:image/png;base64,AQID"');
  expect(html).toContain("default-src 'none'");
  expect(html.match(/<circle/g)!.length).toBe(2);
});

test('charts of deep models show the layers that moved most', async () => {
  const layers = Array.from({ length: 100 }, (_, i) => ({
    name: `layer${i}`,
    shift: { mean: { rms: (i * 37) % 100, max: 0 }, variance: { rms: 0, max: 0 } },
  }));
  const { title, svg } = await shiftChart('Shift', layers);
  expect(title).toBe('Shift (the 60 layers of 100 that moved most)');
  const drawn = layers.filter(({ name }) => svg.includes(`>${name}<`));
  expect(drawn).toHaveLength(60);
  expect(Math.min(...drawn.map(({ shift }) => shift.mean.rms))).toBe(40);
});

test('tables are plain text', () => {
  const text = plainTable(
    ['layer', 'shift'],
    [
      ['bn', '1'],
      ['a longer one', '0.25'],
    ],
  );
  expect(text).toBe('layer         shift\nbn                1\na longer one   0.25');
  expect(
    plainTable(
      ['a'],
      Array.from({ length: 50 }, () => ['1']),
    )
      .split('\n')
      .at(-1),
  ).toBe('... and 10 more: --json has all.');
});
