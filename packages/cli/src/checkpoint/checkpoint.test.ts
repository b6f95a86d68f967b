// A checkpoint is whole or not there, and of this very run or refused with the reason.
import fs from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DataError, OutputError } from '../errors.ts';
import { inFolder } from '../testing/pictures.ts';
import { readCheckpoint, removeCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { isResultOf, keepCheckpoint } from './keeper.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const identity = { model: 'a'.repeat(64), data: 'b'.repeat(64), mode: 'batch' };
const state = { pass: 2, sites: [{ name: 'é', mean: [0.1, -1, 1e-300] }] };

test('what is written comes back, over what was there, and nothing else is left', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'run.checkpoint');
    expect(readCheckpoint(path, identity)).toBeUndefined();
    writeCheckpoint(path, identity, { pass: 1 });
    writeCheckpoint(path, identity, state);
    expect(readCheckpoint(path, identity)).toEqual(state);
    expect(await readdir(folder)).toEqual(['run.checkpoint']);
    // A run that was killed while it wrote.
    await writeFile(`${path}.tmp`, 'rebatch-checkpo');
    expect(readCheckpoint(path, identity)).toEqual(state);
    removeCheckpoint(path);
    expect(await readdir(folder)).toEqual([]);
  }));

describe('is refused', () => {
  test('cut short anywhere, or with any byte changed', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'run.checkpoint');
      writeCheckpoint(path, identity, state);
      const good = await readFile(path);
      for (let length = 0; length < good.length; length++) {
        await writeFile(path, good.subarray(0, length));
        expect(() => readCheckpoint(path, identity), `${length} bytes`).toThrow(DataError);
      }
      await writeFile(path, good.subarray(0, good.length - 1));
      expect(() => readCheckpoint(path, identity)).toThrow(
        /was cut short or added to: expected \d+ bytes, got \d+\./,
      );
      await writeFile(path, Buffer.concat([good, Buffer.from('x')]));
      expect(() => readCheckpoint(path, identity)).toThrow('was cut short or added to');
      fc.assert(
        fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
          const bad = Buffer.from(good);
          bad[at]! ^= by;
          fs.writeFileSync(path, bad);
          expect(() => readCheckpoint(path, identity)).toThrow(DataError);
        }),
        { numRuns: 300 },
      );
      const bad = Buffer.from(good);
      bad[bad.length - 5]! ^= 1;
      await writeFile(path, bad);
      expect(() => readCheckpoint(path, identity)).toThrow(
        `${path} was changed: its content is not that of its digest.`,
      );
    }));

  test.each([
    [
      'no checkpoint',
      '{"version": 1}',
      'is no checkpoint of Rebatch. Remove it to begin anew, or name another file.',
    ],
    [
      'a newer one',
      `rebatch-checkpoint 2 ${'0'.repeat(64)} 2\n{}`,
      'is a checkpoint of version 2, and this release reads',
    ],
  ])('%s', (_, text, message) =>
    inFolder(async (folder) => {
      const path = join(folder, 'x');
      await writeFile(path, text);
      expect(() => readCheckpoint(path, identity)).toThrow(message);
      expect(() => readCheckpoint(folder, identity)).toThrow('cannot be read: EISDIR');
    }),
  );

  test('of another run, saying what differs', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'x');
      writeCheckpoint(path, identity, state);
      const read = (change: object) => () => readCheckpoint(path, { ...identity, ...change });
      expect(read({ model: 'c'.repeat(64) })).toThrow(
        'is of another run: its model is another one. Remove it to begin',
      );
      expect(read({ mode: 'layerwise' })).toThrow('is of another run: its mode is "batch", not "layerwise".');
      expect(read({ prior: '3' })).toThrow('is of another run: its prior is undefined, not "3".');
      writeCheckpoint(path, JSON.parse('{"__proto__": {"mode": "batch"}}'), state);
      expect(read({})).toThrow('is of another run: its model is another one.');
    }));
});

describe('that cannot be written leaves what was there', () => {
  test.each([
    ['ENOSPC', 'the disk is full'],
    ['EACCES', 'it may not be written'],
    ['EROFS', 'the disk is read-only'],
    ['EIO', 'i/o'],
  ])('%s', (code, reason) =>
    inFolder(async (folder) => {
      const path = join(folder, 'run.checkpoint');
      writeCheckpoint(path, identity, state);
      const error = Object.assign(new Error('i/o error'), { code });
      for (const call of ['openSync', 'writeSync', 'fsyncSync', 'renameSync'] as const) {
        vi.spyOn(fs, call).mockImplementationOnce(() => {
          throw error;
        });
        const write = () => writeCheckpoint(path, identity, { pass: 3 });
        expect(write, call).toThrow(OutputError);
        expect(readCheckpoint(path, identity), call).toEqual(state);
        expect(await readdir(folder), call).toEqual(['run.checkpoint']);
        vi.restoreAllMocks();
      }
      vi.spyOn(fs, 'writeSync').mockImplementationOnce(() => {
        throw error;
      });
      const write = () => writeCheckpoint(path, identity, { pass: 3 });
      expect(write).toThrow(`The checkpoint ${path} was not written, ${reason}`);
    }),
  );

  test('a folder that is not there, or is none', () =>
    inFolder(async (folder) => {
      expect(() => writeCheckpoint(join(folder, 'no/run'), identity, state)).toThrow(
        'its folder is not there',
      );
      await writeFile(join(folder, 'file'), '');
      expect(() => writeCheckpoint(join(folder, 'file/run'), identity, state)).toThrow(OutputError);
    }));

  test('a disk that takes a file in pieces', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'x');
      const write = fs.writeSync.bind(fs) as (
        file: number,
        bytes: Uint8Array,
        at: number,
        length: number,
      ) => number;
      vi.spyOn(fs, 'writeSync').mockImplementation(((file: number, bytes: Uint8Array, at: number) =>
        write(file, bytes, at, Math.min(7, bytes.length - at))) as never);
      writeCheckpoint(path, identity, state);
      expect(readCheckpoint(path, identity)).toEqual(state);
    }));
});

describe('kept during a run', () => {
  test('it is written at once, then as often as asked, and knows when only the result was left to write', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'x');
      const writes = vi.spyOn(fs, 'renameSync');
      const states = (n: number) => () => ({ n }) as never;
      const seldom = keepCheckpoint(path, identity, 1000);
      expect(writes).toHaveBeenCalledTimes(1);
      expect(seldom.state).toBeUndefined();
      for (let n = 0; n < 5; n++) seldom.onState(states(n));
      expect(writes).toHaveBeenCalledTimes(2);
      const often = keepCheckpoint(path, identity, 0);
      expect(often.state).toEqual({ n: 0 });
      for (let n = 5; n < 10; n++) often.onState(states(n));
      expect(keepCheckpoint(path, identity, 0)).toMatchObject({ state: { n: 9 }, finished: false });
      often.finish('c'.repeat(64));
      expect(keepCheckpoint(path, identity, 0)).toMatchObject({ state: { n: 9 }, finished: true });
      // Written over the model that it began with.
      expect(isResultOf(path, { ...identity, model: 'c'.repeat(64) }, 'c'.repeat(64))).toBe(true);
      expect(isResultOf(path, { ...identity, mode: 'layerwise' }, 'c'.repeat(64))).toBe(false);
      expect(isResultOf(path, identity, identity.model)).toBe(false);
      await writeFile(path, 'damaged');
      expect(isResultOf(path, identity, 'c'.repeat(64))).toBe(false);
      often.remove();
      expect(await readdir(folder)).toEqual([]);
    }));
});
