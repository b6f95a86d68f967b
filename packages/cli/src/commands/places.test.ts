// Where results go: never over what is read, and what would be wrong with it shows before anything is computed.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBackend } from '../model/backend.ts';
import { float32, idx, npy } from '../testing/arrays.ts';
import { pictureModel, writeLayers } from '../testing/models.ts';
import { plain, writeFiles } from '../testing/pictures.ts';
import { contentsOf, rebatch } from '../testing/run-cli.ts';

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  await startBackend('wasm');
  folder = await mkdtemp(join(tmpdir(), 'rebatch-cli-'));
  await writeLayers(pictureModel(), at('model'));
  await writeLayers(pictureModel(), at('other'));
  for (let i = 0; i < 6; i++)
    await writeFiles(folder, { [`photos/a/${i}.png`]: await plain([20 * i, 90, 200 - 9 * i], 9) });
  await writeFiles(folder, {
    'x.npy': npy('<f4', [4, 8, 8, 3], float32(Array.from({ length: 768 }, Math.sin))),
  });
  await symlink(at('model'), at('link'));
  await symlink(at('nowhere'), at('dangling'));
  await mkdir(at('empty'));
  await symlink(at('empty'), at('link-to-empty'));
  await writeFiles(folder, { 'more/notes.txt': 'mine' });
  for (const file of ['model.json', 'group1-shard1of1.bin'])
    await writeFiles(folder, { [`more/${file}`]: await readFile(at(`model/${file}`)) });
  for (const i of [1, 2]) {
    const args = ['--batch-size', '3', '--shard', `${i}/2`, '--states', at(`part-${i}.json`)];
    expect((await rebatch('recalibrate', at('model'), at('photos'), ...args)).code).toBe(0);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Refused with that code, before anything is read of the data, and everything is as it was. */
async function expectRefused(args: readonly string[], code: number, reason: RegExp): Promise<void> {
  const before = await contentsOf(folder);
  for (const dry of [[], ['--dry-run']]) {
    // These write nothing but their report.
    if (dry.length > 0 && ['compare', 'inspect'].includes(args[0]!)) continue;
    const ran = await rebatch(...args, ...dry);
    expect(ran.err, args.join(' ')).toMatch(reason);
    expect({ code: ran.code, out: ran.out }).toEqual({ code, out: '' });
  }
  expect(await contentsOf(folder)).toEqual(before);
}

/** Words that are no options are paths in the folder. */
function pathsIn(line: string): string[] {
  const [command, ...words] = line.split(' ');
  return [command!, ...words.map((word) => (word.startsWith('-') || word === '1/1' ? word : at(word)))];
}

const MODEL = /: .*model\.json is the model, and would be gone\. Name another file/;
const WEIGHTS = /: .*\.bin is a weight file of the model, and would be gone/;

test.each([
  ['recalibrate model photos --statistics model/model.json', MODEL],
  ['recalibrate model/model.json photos --report link/model.json', MODEL],
  ['recalibrate link photos --report model/group1-shard1of1.bin', WEIGHTS],
  ['recalibrate model photos --statistics model/model.rebatch.json', /is the file that says how inputs/],
  ['recalibrate model photos --report photos/a/1.png', /1\.png is a picture of the data/],
  ['recalibrate model x.npy --statistics x.npy', /x\.npy is the data/],
  ['recalibrate model x.npy --checkpoint x.npy', /--checkpoint: .*x\.npy is the data/],
  ['recalibrate model photos --shard 1/1 --states model/model.json', MODEL],
  ['recalibrate model photos --shard 1/1 --states photos/a/1.png', /1\.png is a picture/],
  [
    'recalibrate model photos --report r --statistics r',
    /--report and --statistics: .* cannot both be written/,
  ],
  ['recalibrate model photos --report r --statistics r/s', /cannot both be written/],
  ['recalibrate model photos --checkpoint r --statistics r', /cannot both be written/],
  ['recalibrate model photos --report r --out r', /--report: .* is where the model itself is written/],
  ['recalibrate model photos --report new/model.json --out new', /is where the model itself is written/],
  ['recalibrate model photos --report model-recalibrated', /is where the model itself is written/],
  ['adapt model photos --reference part-1.json --statistics part-1.json', /part-1\.json is the reference/],
  ['inspect model photos --report model/model.json', MODEL],
  ['compare model other photos --report other/model.json', MODEL],
  ['reference model photos --out model/model.json --overwrite', MODEL],
  ['reference model x.npy --out x.npy --overwrite', /--out: .*x\.npy is the data/],
  ['merge model part-1.json part-2.json --statistics part-1.json', /is a part that is merged/],
  ['merge model part-1.json part-2.json --statistics model/group1-shard1of1.bin', WEIGHTS],
])('%s', (line, reason) => expectRefused(pathsIn(line), 2, reason));

test('what is read does not become a part of the folder of the model', async () => {
  const all = Object.entries(await contentsOf(at('other')));
  await writeFiles(
    folder,
    Object.fromEntries(all.map(([name, bytes]) => [`full/${name}`, Buffer.from(bytes, 'base64')])),
  );
  await writeFiles(folder, {
    'full/images-idx3.bin': idx(
      [4, 8, 24],
      Array.from({ length: 768 }, (_, i) => i % 256),
    ),
  });
  await expectRefused(
    ['recalibrate', at('model'), at('full/images-idx3.bin'), '--overwrite', '--out', at('full')],
    2,
    /images-idx3\.bin lies in it, the data, and would be gone\. Name another folder/,
  );
  await rm(at('full'), { recursive: true });
  // By a link, too, the model itself is changed by --in-place alone.
  await expectRefused(
    ['recalibrate', at('model'), at('photos'), '--overwrite', '--out', at('link')],
    6,
    /link is the model itself/,
  );
});

test.each([
  ['recalibrate more photos --in-place', /more holds notes\.txt, so it is more than a model/],
  ['recalibrate link photos --in-place', /link is a link, not a folder/],
  ['recalibrate link/model.json photos --in-place', /link is a link, not a folder/],
  ['recalibrate model photos --out dangling --checkpoint begun', /dangling is a link, not a folder/],
  ['recalibrate model photos --out dangling', /dangling is a link, not a folder/],
  ['recalibrate model photos --out link-to-empty', /link-to-empty is a link, not a folder/],
  ['recalibrate model photos --out more --overwrite', /more holds notes\.txt/],
  ['recalibrate model photos --out x.npy/deep', /deep was not written, .*x\.npy is not a folder/],
  ['recalibrate model photos --statistics x.npy/deep', /deep was not written, .*x\.npy is not a folder/],
  ['recalibrate model photos --report photos', /photos was not written, it is a folder/],
  ['recalibrate model photos --shard 1/1 --states dangling/s', /is a link to nothing/],
  ['fold model --out link-to-empty', /link-to-empty is a link, not a folder/],
  ['merge model part-1.json part-2.json --out dangling', /dangling is a link, not a folder/],
  ['merge model part-1.json part-2.json --statistics empty', /empty was not written, it is a folder/],
  ['reference model photos --out x.npy/deep', /deep was not written, .*x\.npy is not a folder/],
])('before anything is computed: %s', (line, reason) => expectRefused(pathsIn(line), 6, reason));

const PHOTOS = ['recalibrate', 'model', 'photos'];
const MERGE = ['merge', 'model', 'part-1.json', 'part-2.json'];

test.each([
  [PHOTOS, '--statistics'],
  [PHOTOS, '--report'],
  [MERGE, '--statistics'],
  [['inspect', 'model', 'photos', '--preset', '0..1', '--batch-size', '2'], '--report'],
  [['adapt', 'model', 'photos'], '--report'],
] as const)(
  '%j: without the file of %s there is no model, and nothing else',
  async ([command, ...paths], option) => {
    const before = await contentsOf(folder);
    const args = paths.map((path) => (/^-|^\d/.test(path) ? path : at(path)));
    // A name that is all that a disk takes, so that no temporary one can be longer.
    const { code, err, out } = await rebatch(command, ...args, option, at('n'.repeat(255)));
    expect({ code, out }).toEqual({ code: 6, out: '' });
    expect(err).toMatch(/n{255} was not written/);
    expect(await contentsOf(folder)).toEqual(before);
  },
);

test('a report and statistics may lie in the folder of the model that comes out', async () => {
  for (const [command, ...paths] of [PHOTOS, MERGE]) {
    const besides = ['--statistics', at('new/deep/statistics.json')];
    if (command === 'recalibrate') besides.push('--report', at('new/report.html'));
    const args = [...paths.map(at), '--out', at('new'), ...besides];
    const { code, err } = await rebatch(command!, ...args);
    expect(code, err).toBe(0);
    const names = Object.keys(await contentsOf(at('new')));
    expect(names).toContain('model.json');
    expect(names).toContain('deep/statistics.json');
    expect(names.includes('report.html')).toBe(command === 'recalibrate');
    expect(names.filter((name) => name.includes('.tmp'))).toEqual([]);
    await rm(at('new'), { recursive: true });
  }
});

test('what is empty is no path', async () => {
  const model = at('model');
  const cases: readonly (readonly [args: string[], name: string])[] = [
    [['recalibrate', model, at('photos'), '--out', ''], '--out'],
    [['recalibrate', model, at('photos'), '--out='], '--out'],
    [['recalibrate', model, ''], '<data>'],
    [['inspect', model, ''], '<data>'],
    [['inspect', ''], '<model>'],
    [['compare', model, '', at('photos')], '<b>'],
    [['merge', model, at('part-1.json'), ''], '<states>'],
    [['merge', model, at('part-1.json'), '', at('part-2.json')], '<states>'],
    [['bake', model, ''], '<statistics>'],
    [['reference', model, at('photos'), '--out', ''], '--out'],
    ...['--report', '--statistics', '--states', '--checkpoint', '--labels'].map(
      (option): [string[], string] => [['recalibrate', model, at('photos'), option, ''], option],
    ),
  ];
  const home = process.cwd();
  try {
    // Where an empty path would lead to.
    process.chdir(at('empty'));
    const before = await contentsOf(folder);
    for (const [args, name] of cases) {
      const { code, out, err } = await rebatch(...args);
      expect({ code, out, err }, args.join(' ')).toEqual({
        ...{ code: 2, out: '' },
        err: `Error: ${name}: expected a value, got an empty text. Is it of a variable that is not set?\n`,
      });
    }
    expect(await contentsOf(folder)).toEqual(before);
    expect(process.cwd()).toBe(await realpath(at('empty')));
  } finally {
    process.chdir(home);
  }
});

test('a model that is named by dots has its result beside it', async () => {
  const [home, real] = [process.cwd(), await realpath(folder)];
  try {
    process.chdir(at('model'));
    const { code, out, err } = await rebatch('fold', '.');
    expect(code, err).toBe(0);
    expect(out).toContain(`Written: ${join(real, 'model-folded/model.json')}\n`);
    await rm(at('model-folded'), { recursive: true });
    await expectRefused(['fold', at('model'), '--out', '.', '--overwrite'], 6, /is the model itself/);
    await expectRefused(['recalibrate', '.', at('photos'), '--in-place'], 6, /is the current folder/);
    process.chdir(at('empty'));
    await expectRefused(['fold', at('model'), '--out', '.'], 6, /is the current folder/);
  } finally {
    process.chdir(home);
  }
});

test.skipIf(!existsSync('/dev/null'))('no file takes the place of a device', async () => {
  await symlink('/dev/null', at('null'));
  const reason = /(\/dev|rebatch-cli-.*)\/null was not written, it is a device or a pipe\. Name a file/;
  for (const path of ['/dev/null', at('null')]) {
    for (const option of ['--report', '--statistics', '--checkpoint']) {
      // Dry, for whoever may write there.
      const args = ['recalibrate', at('model'), at('photos'), option, path, '--dry-run'];
      const ran = await rebatch(...args);
      expect([ran.code, ran.err]).toEqual([6, expect.stringMatching(reason)]);
    }
    const reference = ['reference', at('model'), at('photos'), '--overwrite', '--dry-run', '--out', path];
    expect((await rebatch(...reference)).err).toMatch(reason);
  }
  await rm(at('null'));
});
