// A Keras file that comes in goes out as one, with other statistics and otherwise as it was.
import fs from 'node:fs';
import { chmod, readFile, rm, stat, symlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openModel } from '@rebatch/files/node';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { RepairOutput } from '../report/repair-report.ts';
import { asFloats, weightsIn } from '../testing/models.ts';
import { type PhotoFolder, photoFolder } from '../testing/photo-folder.ts';
import { writeFiles } from '../testing/pictures.ts';
import { contentsOf, rebatch, rebatchJson } from '../testing/run-cli.ts';

let photos: PhotoFolder;
const at = (name: string) => photos.at(name);

const FILES = ['v3.keras', 'v3.h5', 'v2.h5', 'packed.h5', 'v2.keras'];

const fixtures = async (name: string) =>
  unzipSync(await readFile(fileURLToPath(new URL(`../../../files/fixtures/${name}`, import.meta.url))));

async function writeKerasFiles(): Promise<void> {
  const [two, three] = [await fixtures('keras2.zip'), await fixtures('keras3.zip')];
  await writeFiles(photos.folder, {
    'v3.keras': three['cnn.keras']!,
    'v3.h5': three['cnn.keras3.h5']!,
    'v2.h5': two['cnn.h5']!,
    'packed.h5': two['cnn-chunked.h5']!,
    'v2.keras': two['cnn.keras']!,
  });
}

beforeAll(async () => {
  photos = await photoFolder();
  await writeKerasFiles();
});
afterAll(() => photos.remove());

const recalibrate = (model: string, ...args: string[]) =>
  rebatchJson<RepairOutput>('recalibrate', at(model), at('photos'), '--force', ...args);

const bytesOf = (name: string) => readFile(at(name));
const ending = (name: string) => name.slice(name.lastIndexOf('.'));

/** Runs, and takes back what it wrote. */
async function undone(use: () => Promise<void>): Promise<void> {
  const before = await contentsOf(photos.folder);
  try {
    await use();
  } finally {
    for (const name of Object.keys(await contentsOf(photos.folder)))
      if (!(name in before)) await rm(at(name));
    await writeKerasFiles();
  }
  expect(await contentsOf(photos.folder)).toEqual(before);
}

test.each(FILES)('%s is recalibrated into a file that has what the folder has', (name) =>
  undone(async () => {
    const [before, out] = [await bytesOf(name), `out${ending(name)}`];
    await recalibrate(name, '--out', at('folder'));
    expect((await recalibrate(name, '--out', at(out))).written).toEqual([at(out), at('out.rebatch.json')]);
    expect(await bytesOf('out.rebatch.json')).toEqual(await bytesOf('folder/model.rebatch.json'));
    expect(await bytesOf(name)).toEqual(before);
    const [old, folder, file] = await Promise.all([name, 'folder', out].map((one) => weightsIn(at(one))));
    expect(file).toEqual(folder);
    const changed = Object.keys(old!).filter((one) => !Buffer.from(old![one]!).equals(file![one]!));
    const norms = ['stem_bn', 'dw_bn', 'branch_bn'];
    expect(changed.sort()).toEqual(
      norms.flatMap((norm) => [`${norm}/moving_mean`, `${norm}/moving_variance`]).sort(),
    );
    // Byte by byte but for these: two numbers for each of ten channels, and in a .keras twice a CRC.
    const after = await bytesOf(out);
    if (name === 'packed.h5' || name === 'v2.keras') return;
    expect(after.length).toBe(before.length);
    const differ = after.reduce((count, byte, i) => count + (byte === before[i] ? 0 : 1), 0);
    expect(differ).toBeGreaterThan(0);
    expect(differ).toBeLessThanOrEqual(2 * 10 * 4 + 2 * 4);
  }),
);

test('in place, the file gives way to the new one, and who may read it stays', () =>
  undone(async () => {
    await recalibrate('v3.keras', '--out', at('folder'));
    await chmod(at('v3.keras'), 0o600);
    const result = await recalibrate('v3.keras', '--in-place', '--scale', '1/255');
    expect(result.written).toEqual([at('v3.keras'), at('v3.rebatch.json')]);
    expect(await weightsIn(at('v3.keras'))).toEqual(await weightsIn(at('folder')));
    expect((await stat(at('v3.keras'))).mode & 0o777).toBe(0o600);
    expect((await recalibrate('v3.keras', '--in-place')).written).toEqual([at('v3.keras')]);
    await chmod(at('v3.keras'), 0o644);
  }));

test('how inputs are prepared goes along, beside the file', () =>
  undone(async () => {
    const said = await recalibrate('v2.h5', '--out', at('new/deep.h5'), '--scale', '1/2');
    expect(said.written).toEqual([at('new/deep.h5'), at('new/deep.rebatch.json'), at('v2.rebatch.json')]);
    const next = await recalibrate('new/deep.h5', '--out', at('next.h5'));
    expect(next.data).toMatchObject({ preprocessingFrom: 'file', preprocessing: { scale: 0.5 } });
    expect(next.written).toEqual([at('next.h5'), at('next.rebatch.json')]);
    expect(await bytesOf('next.rebatch.json')).toEqual(await bytesOf('new/deep.rebatch.json'));
    // It is somebody's, and gives way only if told.
    await rm(at('next.h5'));
    const args = ['recalibrate', at('new/deep.h5'), at('photos'), '--force', '--out', at('next.h5')];
    const refused = await rebatch(...args);
    expect([refused.code, refused.err]).toEqual([6, expect.stringMatching(/next\.rebatch\.json is there/)]);
    expect((await rebatch(...args, '--overwrite')).code).toBe(0);
  }));

test('adapt, merge and bake write the file, too', () =>
  undone(async () => {
    const adapted = await rebatchJson<RepairOutput>(
      ...(['adapt', at('v3.h5'), at('photos'), '--force', '--out', at('adapted.h5')] as const),
    );
    expect(adapted.written).toEqual([at('adapted.h5'), at('adapted.rebatch.json')]);
    const parts = [1, 2].map((i) => ['--shard', `${i}/2`, '--states', at(`part-${i}.json`)]);
    for (const part of parts)
      await rebatchJson(
        ...['recalibrate', at('v3.keras'), at('photos'), '--force', '--batch-size', '6', ...part],
      );
    const whole = ['--batch-size', '6', '--statistics', at('s.json'), '--out', at('whole.keras')];
    const { written } = await recalibrate('v3.keras', ...whole);
    expect(written).toEqual([at('whole.keras'), at('whole.rebatch.json'), at('s.json')]);
    const merged = await rebatchJson<{ written: string[] }>(
      ...['merge', at('v3.keras'), at('part-1.json'), at('part-2.json'), '--out', at('merged.keras')],
    );
    expect(merged.written).toEqual([at('merged.keras'), at('merged.rebatch.json')]);
    expect(await bytesOf('merged.keras')).toEqual(await bytesOf('whole.keras'));
    const baked = await rebatchJson<{ written: string[] }>(
      ...['bake', at('v3.keras'), at('s.json'), '--out', at('baked.keras')],
    );
    expect(baked.written).toEqual([at('baked.keras')]);
    expect(await bytesOf('baked.keras')).toEqual(await bytesOf('whole.keras'));
    // The optimizer's part of the file came along.
    const { artifacts } = await openModel(at('adapted.h5'));
    expect(artifacts.modelTopology).toEqual((await openModel(at('v3.h5'))).artifacts.modelTopology);
  }));

test('what was written is said in words', () =>
  undone(async () => {
    const args = ['recalibrate', at('v3.keras'), at('photos'), '--force', '--out', at('x.keras')];
    const dry = await rebatch(...args, '--dry-run');
    expect(dry.out).toContain(`Dry run: nothing was written. The model would be ${at('x.keras')}.`);
    expect(fs.existsSync(at('x.keras'))).toBe(false);
    const { out, code } = await rebatch(...args);
    expect(code).toBe(0);
    expect(out.endsWith(`\n\nWritten: ${at('x.keras')}\nWritten: ${at('x.rebatch.json')}\n`)).toBe(true);
  }));

test('new statistics are rounded where the file has them in float16, and that is said', () =>
  undone(async () => {
    await writeFiles(photos.folder, { 'half.h5': (await fixtures('layouts.zip'))['half.h5']! });
    const args = ['recalibrate', at('half.h5'), at('photos'), '--force', '--no-labels'];
    const folder = await rebatch(...args, '--out', at('folder'), '--statistics', at('s.json'));
    expect(folder.code).toBe(0);
    expect(folder.err).not.toContain('float16');
    const { code, err } = await rebatch(...args, '--out', at('file.h5'));
    expect(code).toBe(0);
    const [exact, file] = await Promise.all([weightsIn(at('folder')), weightsIn(at('file.h5'))]);
    const names = Object.keys(exact).filter((name) => name.includes('moving_'));
    for (const name of names) {
      const halves = new Uint16Array(Uint8Array.from(file[name]!).buffer);
      const values = asFloats(exact[name]!);
      const wrong = values.filter(
        (x, i) => Math.abs(halfOf(halves[i]!) - x) > Math.abs(x) * 2 ** -11 + 2 ** -25,
      );
      expect(wrong).toHaveLength(0);
      expect(values.some((x, i) => halfOf(halves[i]!) !== x)).toBe(true);
    }
    const stores = `Note: ${at('file.h5')} stores '`;
    expect(err.startsWith(stores)).toBe(true);
    expect(err).toMatch(
      / and 3 others as float16, so their new values were rounded to it, about three digits\. In a folder/,
    );
    expect((await rebatch(...args, '--out', at('dry.h5'), '--dry-run')).err).toBe('');
    const baked = await rebatch('bake', at('half.h5'), at('s.json'), '--out', at('baked.h5'));
    expect([baked.code, baked.err]).toEqual([0, err.replace('file.h5', 'baked.h5')]);
    expect(await bytesOf('baked.h5')).toEqual(await bytesOf('file.h5'));
    // What it cannot hold is refused, and says where it could go.
    const large = await rebatch(...args, '--out', at('large.h5'), '--scale', '1000');
    expect([large.code, large.err]).toEqual([
      3,
      expect.stringMatching(
        /stored as float16, which cannot hold \d.* In a folder, which --out may name as well/,
      ),
    ]);
  }));

const halfOf = (bits: number) => {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
};

const ONLY_KERAS =
  /x\.keras cannot be written, only a Keras file that came in can become one, and .*model is/;
const OTHER_LAYERS = /x\.keras cannot be written, what comes out has other layers than .* with model\.json/;

test.each([
  ['recalibrate model photos --out x.keras', 2, ONLY_KERAS],
  ['recalibrate model photos --out x.h5', 2, /x\.h5 cannot be written, only a Keras file/],
  ['recalibrate v3.keras photos --out x.h5', 2, /is of the kind \.keras and stays of it\. Name a file that/],
  ['recalibrate v3.h5 photos --out x.keras', 2, /is of the kind \.h5 and stays of it\. Name a file that/],
  ['fold v3.keras --out x.keras', 2, OTHER_LAYERS],
  ['stock v3.keras --out x.keras', 2, OTHER_LAYERS],
  ['fold v3.keras --in-place', 2, /cannot take the place of v3\.keras/],
  ['recalibrate v3.keras photos --in-place --out x.keras', 2, /two places: say one/],
  ['recalibrate v3.keras photos --out v3.keras', 6, /v3\.keras is the model itself.*--in-place/],
  ['recalibrate v3.keras photos --out v3.keras --overwrite', 6, /v3\.keras is the model itself/],
  ['recalibrate v3.keras photos --out v2.keras', 6, /v2\.keras is there already.*--overwrite/],
  ['recalibrate v3.keras photos --out link.keras --overwrite', 6, /link\.keras is a link: name the file/],
  ['recalibrate link.keras photos --in-place', 6, /link\.keras is a link: name the file itself/],
  ['recalibrate v3.keras photos --out v2.h5/x.keras', 6, /v2\.h5 is not a folder/],
  [
    'recalibrate v3.keras photos --in-place --report v3.keras',
    2,
    /v3\.keras is the model, and would be gone/,
  ],
  [
    'recalibrate v3.keras photos --out x.keras --report x.keras',
    2,
    /--report and --out: .* cannot both be written/,
  ],
  [
    'recalibrate v3.keras photos --out x.keras --statistics x.rebatch.json',
    2,
    /--statistics and the file that goes with --out: .* cannot both be written/,
  ],
  [
    `recalibrate v3.keras photos --force --out ${'n'.repeat(236)}.keras`,
    6,
    /n\.(keras|rebatch\.json) was not written/,
  ],
] as const)('refused: %s', async (line, code, reason) => {
  await symlink(at('v2.keras'), at('link.keras'));
  try {
    const before = await contentsOf(photos.folder);
    const [command, ...words] = line.split(' ');
    const args = words.map((word) => (word.startsWith('-') ? word : at(word)));
    const ran = await rebatch(command!, ...args);
    expect(ran.err).toMatch(reason);
    expect({ code: ran.code, out: ran.out }).toEqual({ code, out: '' });
    expect(await contentsOf(photos.folder)).toEqual(before);
  } finally {
    await rm(at('link.keras'));
  }
});

test('a run in place that was killed after its last step but one has nothing left to do', () =>
  undone(async () => {
    // With float16 inside, what is opened is not what was computed, but the nearest that the file has.
    const halves = (await fixtures('layouts.zip'))['half.h5']!;
    await writeFiles(photos.folder, { 'half.h5': halves });
    const path = at('run.checkpoint');
    const args = ['recalibrate', at('half.h5'), at('photos'), '--force', '--in-place', '--checkpoint', path];
    const remove = fs.rmSync.bind(fs);
    vi.spyOn(fs, 'rmSync').mockImplementation((file, options) => {
      if (file !== path) remove(file, options);
    });
    expect((await rebatch(...args)).code).toBe(0);
    vi.restoreAllMocks();
    const written = await bytesOf('half.h5');
    expect(written.equals(halves)).toBe(false);
    const { code, err } = await rebatch(...args);
    expect(err).toContain('Nothing is left to do: the run before was killed');
    expect(code).toBe(0);
    expect(await bytesOf('half.h5')).toEqual(written);
  }));
