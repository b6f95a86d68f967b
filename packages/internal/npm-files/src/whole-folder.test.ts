import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from './testing/index.ts';
import { isWhole, wholeFolder } from './whole-folder.ts';

/** Makes a folder with two files, and counts how often. */
function maker() {
  let made = 0;
  return {
    made: () => made,
    async make(folder: string) {
      made++;
      await mkdir(join(folder, 'sub'));
      await writeFile(join(folder, 'a.txt'), 'one');
      await writeFile(join(folder, 'sub', 'b.txt'), 'two');
    },
  };
}

test('a folder is made once', async () => {
  const folder = join(await temporaryFolder(), 'deep', 'whole');
  const { make, made } = maker();
  await wholeFolder(folder, make);
  await wholeFolder(folder, make);
  expect(made()).toBe(1);
  expect(await readFile(join(folder, 'sub', 'b.txt'), 'utf8')).toBe('two');
  expect(await readdir(join(folder, '..'))).toEqual(['whole']);
});

test.each([
  ['a changed file', (folder: string) => writeFile(join(folder, 'a.txt'), 'One')],
  ['a missing file', (folder: string) => rm(join(folder, 'sub'), { recursive: true })],
  ['a file cut short', (folder: string) => writeFile(join(folder, 'sub', 'b.txt'), '')],
  ['no list of files', (folder: string) => rm(join(folder, 'SHA256.json'))],
  ['a list cut short', (folder: string) => writeFile(join(folder, 'SHA256.json'), '{"a.txt": ')],
  ['an empty list', (folder: string) => writeFile(join(folder, 'SHA256.json'), '{}')],
])('a folder with %s is made again', async (_, damage) => {
  const folder = join(await temporaryFolder(), 'whole');
  const { make, made } = maker();
  await wholeFolder(folder, make);
  await damage(folder);
  expect(await isWhole(folder)).toBe(false);
  await wholeFolder(folder, make);
  expect(made()).toBe(2);
  expect(await isWhole(folder)).toBe(true);
});

test('what fails leaves nothing, and keeps nothing of a damaged folder from being made later', async () => {
  const root = await temporaryFolder();
  const failing = async (folder: string) => {
    await writeFile(join(folder, 'a.txt'), 'half');
    throw new Error('no more');
  };
  await expect(wholeFolder(join(root, 'whole'), failing)).rejects.toThrow('no more');
  expect(await readdir(root)).toEqual([]);
});

test('two that make the same folder at once both find it whole', async () => {
  const folder = join(await temporaryFolder(), 'whole');
  const { make, made } = maker();
  await Promise.all([wholeFolder(folder, make), wholeFolder(folder, make)]);
  expect(made()).toBe(2);
  expect(await isWhole(folder)).toBe(true);
  expect(await readdir(join(folder, '..'))).toEqual(['whole']);
});
