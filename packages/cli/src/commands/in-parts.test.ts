// A recalibration in parts gives the same bits as one in one go: on threads, and after any number of sudden deaths.
import fs from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeBlocks, makeSequential } from '@rebatch/test-models';
import { seededRandom } from '@rebatch/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startBackend } from '../model/backend.ts';
import type { RepairOutput } from '../report/repair-report.ts';
import { float32, npy } from '../testing/arrays.ts';
import { pictureModel, weightsIn, writeLayers } from '../testing/models.ts';
import { inFolder, plain, writeFiles } from '../testing/pictures.ts';
import { afterTime, afterWrites, bundleCommand, runProcess } from '../testing/processes.ts';
import { contentsOf, rebatch, rebatchJson, timeless } from '../testing/run-cli.ts';

const random = seededRandom(3);
const blocks = makeBlocks(random, [5, 6, 4]);
const SAMPLES = 120;
const values = random.normals(SAMPLES * 5, 0.4, 1.2);

beforeAll(() => startBackend('cpu'));

interface Paths {
  readonly folder: string;
  readonly model: string;
  readonly data: string;
}

async function withNetwork(use: (paths: Paths) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const model = await writeLayers(makeSequential(blocks), join(folder, 'net'));
    await writeFiles(folder, { 'x.npy': npy('<f4', [SAMPLES, 5], float32([...values])) });
    await use({ folder, model, data: join(folder, 'x.npy') });
  });
}

const COMMON = ['--backend', 'cpu', '--batch-size', '4', '--overwrite'];
const MODES = [
  ['--mode', 'batch', '--samples', '90'],
  ['--mode', 'layerwise', '--samples', '90', '--prior', '10'],
  ['--mode', 'layerwise', '--estimator', 'ema'],
];

let removeBundle: () => Promise<void>;
beforeAll(async () => {
  removeBundle = await bundleCommand();
});
afterAll(() => removeBundle());

/** The same in a process of its own, whose threads start fast. */
async function processJson<T>(...args: readonly string[]): Promise<T> {
  const { code, out, err } = await runProcess([...args, '--json']);
  expect(code, err).toBe(0);
  return JSON.parse(out) as T;
}

test.each(MODES)('in parts, and with a checkpoint: the same bits as in one go: %s %s', (...flags: string[]) =>
  withNetwork(async ({ folder, model, data }) => {
    const checkpoint = join(folder, 'run.checkpoint');
    const run = async (...more: string[]) => {
      const result = await rebatchJson<RepairOutput>(
        'recalibrate',
        model,
        data,
        ...COMMON,
        ...flags,
        ...more,
      );
      return { report: timeless(result), weights: await weightsIn(`${model}-recalibrated`) };
    };
    const expected = await run();
    expect(await run('--checkpoint', checkpoint)).toEqual(expected);
    expect(Object.keys(await contentsOf(folder))).not.toContain('run.checkpoint');
  }),
);

test('adapt, too, which has other defaults', () =>
  withNetwork(async ({ folder, model, data }) => {
    const run = async (...more: string[]) => {
      const args = ['adapt', model, data, ...COMMON, '--samples', '60', ...more];
      const result = await rebatchJson<RepairOutput>(...args);
      return { report: timeless(result), weights: await weightsIn(`${model}-adapted`) };
    };
    const expected = await run();
    expect(expected.report).toMatchObject({ mode: 'layerwise', prior: 8 });
    expect(await run('--checkpoint', join(folder, 'run.checkpoint'))).toEqual(expected);
    const reference = ['--reference', join(folder, 'net.reference.json')];
    const refused = await rebatch('adapt', model, data, ...reference, '--workers', '2');
    expect(refused).toMatchObject({
      code: 2,
      err: expect.stringContaining('--reference does not go with --workers'),
    });
  }));

describe('on threads', () => {
  const auto = ['--samples', 'auto', '--tolerance', '0.2'];
  const layerwise = ['--mode', 'layerwise'];

  test('however many: the same bits', () =>
    withNetwork(async ({ folder, model, data }) => {
      const args = ['recalibrate', model, data, ...COMMON];
      for (const [flags, counts] of [
        [[], [1, 3]],
        [layerwise, [2]],
        [auto, [2]],
      ] as const) {
        // With a checkpoint, 'auto' ends as soon as on threads.
        const parts = flags === auto ? ['--checkpoint', join(folder, 'run.checkpoint')] : [];
        const expected = timeless(await rebatchJson<RepairOutput>(...args, ...flags, ...parts));
        const weights = await weightsIn(`${model}-recalibrated`);
        for (const count of counts) {
          const got = await processJson<RepairOutput>(...args, ...flags, '--workers', String(count));
          expect(timeless(got), `${flags.join(' ')}, ${count}`).toEqual(expected);
          expect(await weightsIn(`${model}-recalibrated`)).toEqual(weights);
        }
      }
    }));

  test('what cannot be read is left out and counted as without, and else names itself', () =>
    inFolder(async (folder) => {
      const model = await writeLayers(pictureModel(), join(folder, 'net'));
      await writeFiles(folder, {
        'photos/a.png': await plain([200, 30, 90], 9),
        'photos/b.png': Buffer.from('no picture'),
        'photos/c.png': await plain([20, 130, 90], 12, 8),
      });
      const args = [
        'recalibrate',
        model,
        join(folder, 'photos'),
        '--batch-size',
        '1',
        '--force',
        '--overwrite',
      ];
      const run = [...args, '--backend', 'cpu', ...layerwise];
      const expected = await rebatchJson<RepairOutput>(...run, '--skip-bad');
      const got = await processJson<RepairOutput>(...run, '--skip-bad', '--workers', '2');
      expect(got.data).toEqual(expected.data);
      expect(timeless(got)).toEqual(timeless(expected));
      const failed = await runProcess([...run, '--workers', '2']);
      expect(failed.code).toBe(4);
      expect(failed.err).toContain('b.png');
    }));
});

test('what was left out before is told by the run that goes on, too', () =>
  withNetwork(async ({ folder, model }) => {
    const holes = values.map((value, i) => (i === 7 || i === 502 ? Number.NaN : value));
    await writeFiles(folder, { 'holes.npy': npy('<f4', [SAMPLES, 5], float32([...holes])) });
    const args = ['recalibrate', model, join(folder, 'holes.npy'), ...COMMON, '--skip-bad'];
    const expected = (await rebatchJson<RepairOutput>(...args)).data.bad;
    expect(expected.map(({ name }) => name).sort()).toEqual([
      'sample 1 of holes.npy',
      'sample 100 of holes.npy',
    ]);
    const parts = ['--checkpoint', join(folder, 'run.checkpoint')];
    await rebatchJson(...args, ...parts, '--dry-run');
    const rerun = await rebatch(...args, ...parts, '--json');
    expect(rerun.err).toContain('Going on from');
    expect((JSON.parse(rerun.out) as RepairOutput).data.bad).toEqual(expected);
  }));

describe('killed between its result and the end', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Runs without the last step, which removes the checkpoint. */
  const withoutEnd = async (...args: string[]) => {
    const remove = fs.rmSync.bind(fs);
    vi.spyOn(fs, 'rmSync').mockImplementation((path, options) => {
      if (!String(path).includes('run.checkpoint')) remove(path, options);
    });
    const { code, err } = await rebatch(...args);
    expect(code, err).toBe(0);
    vi.restoreAllMocks();
  };

  test('the rerun writes it once more, without being told to', () =>
    withNetwork(async ({ folder, model, data }) => {
      const path = join(folder, 'run.checkpoint');
      const args = ['recalibrate', model, data, '--backend', 'cpu', '--checkpoint', path];
      await withoutEnd(...args);
      const written = await contentsOf(`${model}-recalibrated`);
      const { code, err } = await rebatch(...args);
      expect(err).toContain('Going on from');
      expect(code).toBe(0);
      expect(await contentsOf(`${model}-recalibrated`)).toEqual(written);
      const again = await rebatch(...args);
      expect(again.code).toBe(6);
      expect(again.err).toContain('is there already');
    }));

  test('in place: the rerun has nothing left to do', () =>
    withNetwork(async ({ folder, model, data }) => {
      const path = join(folder, 'run.checkpoint');
      const args = ['recalibrate', model, data, '--backend', 'cpu', '--in-place', '--checkpoint', path];
      await withoutEnd(...args);
      const written = await contentsOf(model);
      const { code, err } = await rebatch(...args);
      expect(err).toContain(
        'Nothing is left to do: the run before was killed after it had written its result.',
      );
      expect(code).toBe(0);
      expect(await contentsOf(model)).toEqual(written);
      expect(fs.existsSync(path)).toBe(false);
    }));
});

describe('killed at random moments', () => {
  // Some thirty processes start: longer than other tests.
  test(
    '20 times, the rerun goes on and ends with the same bits',
    () =>
      withNetwork(async ({ folder, model, data }) => {
        const draw = seededRandom(7);
        const checkpoint = join(folder, 'run.checkpoint');
        const parts = ['--checkpoint', checkpoint, '--checkpoint-every', '0'];
        const argsOf = (mode: number) => [
          ...['recalibrate', model, data, '--backend', 'cpu', '--batch-size', '4'],
          ...MODES[mode]!,
        ];
        const expected: unknown[] = [];
        for (const mode of MODES.keys()) {
          const whole = await rebatch(...argsOf(mode), '--out', join(folder, 'whole'), '--overwrite');
          expect(whole.code, whole.err).toBe(0);
          expected.push(await weightsIn(join(folder, 'whole')));
        }
        // How long a run takes here and now: it is killed somewhere within that.
        const first = await runProcess([...argsOf(1), ...parts, '--out', join(folder, 'first')]);
        expect(first.code, first.err).toBe(0);
        const time = first.milliseconds;
        let [kills, resumed] = [0, 0];
        // On a slow machine most would be killed before they had begun: every other one is when it has written something.
        for (let round = 0; kills < 20 || resumed < 6; round++) {
          const mode = round % MODES.length;
          const out = join(folder, `out-${round}`);
          const args = [...argsOf(mode), ...parts, '--out', out];
          for (let byTime = false; ; byTime = !byTime) {
            const left = fs.existsSync(checkpoint) ? await readFile(checkpoint, 'utf8') : '';
            const doom = byTime
              ? afterTime(time * draw.uniform())
              : afterWrites(checkpoint, 2 + Math.floor(6 * draw.uniform()));
            const { killed, code, err } = await runProcess(args, doom);
            if (err.includes('Going on from')) resumed += 1;
            if (killed) kills += 1;
            else {
              // Killed when all was done, and before it could say so, or put its checkpoint away.
              if (err.includes(`${out} is there already`)) await rm(checkpoint, { force: true });
              else expect(code, err).toBe(0);
              if (/"recalibration":\{/.test(left)) expect(err).toMatch(/Going on from|is there already/);
              break;
            }
          }
          expect(await weightsIn(out)).toEqual(expected[mode]);
          expect(Object.keys(await contentsOf(folder))).not.toContain('run.checkpoint');
        }
      }),
    180_000,
  );
});

describe('what goes wrong is said, and nothing is written', () => {
  test.each([
    [
      'a checkpoint of another model',
      ['--mode', 'batch'],
      'net',
      'is of another run: its model is another one.',
    ],
    ['a checkpoint of another mode', ['--mode', 'layerwise'], 'own', 'its mode is "batch", not "layerwise".'],
    ['a checkpoint of other options', ['--prior', '3'], 'own', 'its prior is "0", not "3".'],
    ['a checkpoint of other data', ['--seed', '5'], 'own', 'is of another run: its data is another one.'],
  ])('%s', (_, flags, which, message) =>
    withNetwork(async ({ folder, model, data }) => {
      const other = await writeLayers(
        makeSequential(makeBlocks(seededRandom(9), [5, 6, 4])),
        join(folder, 'other'),
      );
      const checkpoint = join(folder, 'run.checkpoint');
      const parts = [...COMMON, '--checkpoint', checkpoint];
      const first = await rebatch(
        'recalibrate',
        which === 'own' ? model : other,
        data,
        ...parts,
        '--dry-run',
      );
      expect(first.code, first.err).toBe(0);
      const before = await contentsOf(folder);
      expect(Object.keys(before)).toContain('run.checkpoint');
      const { code, err } = await rebatch('recalibrate', model, data, ...parts, ...flags);
      expect(err).toContain(message);
      expect(code).toBe(4);
      expect(await contentsOf(folder)).toEqual(before);
    }),
  );

  test('a checkpoint that cannot be written, before anything is computed', () =>
    withNetwork(async ({ folder, model, data }) => {
      const before = await contentsOf(folder);
      const path = join(folder, 'no', 'run');
      const { code, err } = await rebatch('recalibrate', model, data, ...COMMON, '--checkpoint', path);
      expect(err).toContain(`The checkpoint ${path} was not written, its folder is not there.`);
      expect(code).toBe(6);
      expect(await contentsOf(folder)).toEqual(before);
    }));

  test('a checkpoint that was damaged', () =>
    withNetwork(async ({ folder, model, data }) => {
      const checkpoint = join(folder, 'run.checkpoint');
      await writeFile(checkpoint, 'something');
      const { code, err } = await rebatch('recalibrate', model, data, ...COMMON, '--checkpoint', checkpoint);
      expect(err).toContain('is no checkpoint of Rebatch. Remove it to begin anew');
      expect(code).toBe(4);
      expect(await readFile(checkpoint, 'utf8')).toBe('something');
    }));

  test.each([
    [['--workers', '0'], 2, 'Expected a whole number from 1 on'],
    [['--workers', '1000'], 2, 'Expected at most 256 threads'],
    [['--queue', 'host:6379'], 2, 'Expected an address, as redis://host:6379'],
    [['--queue', 'redis://127.0.0.1:1', '--workers', '2'], 2, '--workers and --queue: say one'],
    [['--queue', 'redis://127.0.0.1:1', '--samples', 'auto'], 2, '--samples auto does not go with --queue'],
    [
      ['--workers', '2', '--samples', '1000'],
      4,
      '--samples: expected at most the 120 that there are, got 1000',
    ],
  ])('%s', (flags, expected, message) =>
    withNetwork(async ({ folder, model, data }) => {
      const before = await contentsOf(folder);
      const { code, err } = await rebatch('recalibrate', model, data, ...COMMON, ...flags);
      expect(err).toContain(message);
      expect(code).toBe(expected);
      expect(await contentsOf(folder)).toEqual(before);
    }),
  );
});
