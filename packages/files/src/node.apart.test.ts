// Models on a disk: whole or not there, whatever happens in between.

import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import '@tensorflow/tfjs-backend-cpu';
import { FileAccessError, FileWriteError, MalformedFileError, UnsupportedFileError } from './index.ts';
import { checkTarget } from './node/target.ts';
import { openModel, replaceWeights, writeModel } from './node.ts';
import { fixture } from './testing/fixtures.ts';
import { quantizedGraph, savedByLayers } from './testing/models.ts';

/** The operation of the file system that fails next, counted from 1; 0 for none. */
const disk = vi.hoisted(() => ({ failAt: 0, count: 0 }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const failing = <A extends unknown[], R>(run: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (++disk.count === disk.failAt) {
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      }
      return run(...args);
    };
  };
  return {
    ...real,
    mkdir: failing(real.mkdir as (path: string) => Promise<string | undefined>),
    rename: failing(real.rename),
    open: async (path: string, flags: string) => {
      const file = await failing(real.open)(path, flags);
      const { writeFile: write, sync } = file;
      file.writeFile = failing(write.bind(file)) as typeof write;
      file.sync = failing(sync.bind(file));
      return file;
    },
  };
});

let dir: string;
beforeAll(() => tf.setBackend('cpu'));
beforeEach(async () => {
  Object.assign(disk, { failAt: 0, count: 0 });
  dir = await mkdtemp(join(tmpdir(), 'rebatch-files-'));
});
afterEach(async () => {
  disk.failAt = 0;
  await rm(dir, { recursive: true, force: true });
});

/** Everything in the folder of this test: path to bytes. */
async function contents(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    found[path.slice(dir.length)] = entry.isFile() ? (await readFile(path)).toString('base64') : 'folder';
  }
  return found;
}

describe('openModel', () => {
  it('opens what writeModel wrote, by folder, file and address', async () => {
    for (const artifacts of [await savedByLayers(), quantizedGraph()]) {
      const target = join(dir, 'some', artifacts.format!);
      const json = await writeModel(artifacts, target, { shardBytes: 7 });
      expect(json).toBe(join(target, 'model.json'));
      for (const source of [target, json, pathToFileURL(json), pathToFileURL(json).href]) {
        expect((await openModel(source)).artifacts).toEqual(artifacts);
      }
    }
  });

  it('opens Keras files, and bytes', async () => {
    const { name, bytes } = fixture('keras3', 'cnn.keras');
    await writeFile(join(dir, name), bytes);
    await writeFile(join(dir, 'cnn.h5'), fixture('keras2', 'cnn.h5').bytes);
    const wanted = (await openModel([fixture('keras3', name)])).artifacts;
    expect((await openModel(join(dir, name))).artifacts).toEqual(wanted);
    expect((await openModel(join(dir, 'cnn.h5'))).artifacts.weightData).toEqual(wanted.weightData);
  });

  it('says what is not there', async () => {
    await expect(openModel(join(dir, 'nothing.h5'))).rejects.toThrow(/nothing.h5 does not exist/);
    await expect(openModel('file://elsewhere/model.json')).rejects.toThrow(FileAccessError);
    await expect(openModel('')).rejects.toThrow(FileAccessError);
    await expect(openModel(dir)).rejects.toThrow(/is a folder without a model.json/);
    await writeModel(quantizedGraph(), join(dir, 'model'));
    await rm(join(dir, 'model', 'group1-shard1of1.bin'));
    await expect(openModel(join(dir, 'model'))).rejects.toThrow(FileAccessError);
    await expect(openModel(join(dir, 'model'))).rejects.toThrow(/group1-shard1of1.bin does not exist/);
  });

  it('tells folders of other tools', async () => {
    await mkdir(join(dir, 'saved'));
    await writeFile(join(dir, 'saved', 'saved_model.pb'), '\x08\x01\x12');
    await expect(openModel(join(dir, 'saved'))).rejects.toThrow(UnsupportedFileError);
    await expect(openModel(join(dir, 'saved'))).rejects.toThrow(/--input_format=tf_saved_model/);
  });

  it('refuses a shorter weight file before it reads any', async () => {
    await writeModel(quantizedGraph(), join(dir, 'model'), { shardBytes: 10 });
    await writeFile(join(dir, 'model', 'group1-shard3of3.bin'), 'abc');
    await expect(openModel(join(dir, 'model'))).rejects.toThrow(MalformedFileError);
  });
});

describe('replaceWeights', () => {
  it('takes a path, and writes nothing', async () => {
    const { name, bytes } = fixture('keras3', 'cnn.keras');
    await writeFile(join(dir, name), bytes);
    const before = await contents();
    const weights = { 'stem_bn/moving_mean': [1, 2, 3, 4] };
    const wanted = Buffer.from(await replaceWeights([{ name, bytes }], weights));
    for (const source of [join(dir, name), pathToFileURL(join(dir, name)), bytes]) {
      expect(wanted.equals(await replaceWeights(source, weights))).toBe(true);
    }
    expect(await contents()).toEqual(before);
    await expect(replaceWeights(join(dir, 'no.keras'), weights)).rejects.toThrow(FileAccessError);
    await writeModel(quantizedGraph(), join(dir, 'model'));
    await expect(replaceWeights(join(dir, 'model'), {})).rejects.toThrow(
      /Write it as a whole, with writeModel/,
    );
  });
});

describe('writeModel', () => {
  it('refuses a folder with something in it, and leaves it', async () => {
    const target = join(dir, 'model');
    await writeModel(quantizedGraph(), target);
    const before = await contents();
    await expect(writeModel(await savedByLayers(), target)).rejects.toThrow(/is not empty/);
    await writeFile(join(target, 'notes.txt'), 'mine');
    await expect(writeModel(quantizedGraph(), target, { overwrite: true })).rejects.toThrow(
      /holds notes.txt/,
    );
    await rm(join(target, 'notes.txt'));
    await rm(join(target, 'model.json'));
    await expect(writeModel(quantizedGraph(), target, { overwrite: true })).rejects.toThrow(
      /holds no model.json/,
    );
    await expect(writeModel(quantizedGraph(), join(target, 'group1-shard1of1.bin'))).rejects.toThrow(
      /is not a folder/,
    );
    expect({ ...(await contents()), '/model/model.json': before['/model/model.json'] }).toEqual(before);
  });

  it('refuses links, what lies below a file, and the folder that it runs in', async () => {
    await mkdir(join(dir, 'empty'));
    await writeFile(join(dir, 'file'), '');
    await symlink(join(dir, 'empty'), join(dir, 'link'));
    await symlink(join(dir, 'nowhere'), join(dir, 'dangling'));
    const before = await contents();
    const cases: readonly (readonly [name: string, reason: RegExp])[] = [
      ['link', /link is a link, not a folder/],
      ['dangling', /dangling is a link, not a folder/],
      ['dangling/model', /model was not written, .*dangling is a link to nothing\. What was there/],
      ['file/deep/model', /model was not written, .*file is not a folder\. What was there/],
    ];
    for (const [name, reason] of cases) {
      const writing = writeModel(quantizedGraph(), join(dir, name), { overwrite: true });
      await expect(writing, name).rejects.toThrow(FileWriteError);
      await expect(checkTarget(join(dir, name), true, []), name).rejects.toThrow(reason);
    }
    vi.spyOn(process, 'cwd').mockReturnValue(join(dir, 'empty'));
    await expect(writeModel(quantizedGraph(), '')).rejects.toThrow(
      /empty is the current folder, which would be gone/,
    );
    vi.restoreAllMocks();
    expect(await contents()).toEqual(before);
    expect(await checkTarget(join(dir, 'empty'), false, [])).toBe(true);
    expect(await checkTarget(join(dir, 'new/deep'), false, [])).toBe(false);
  });

  it('replaces a model when it may, and an empty folder', async () => {
    const target = join(dir, 'model');
    await mkdir(target);
    await writeModel(quantizedGraph(), target, { shardBytes: 3 });
    const artifacts = await savedByLayers();
    await writeModel(artifacts, target, { overwrite: true });
    expect((await openModel(target)).artifacts).toEqual(artifacts);
    expect(await readdir(dir)).toEqual(['model']);
  });

  it('writes what belongs to the model beside it, and nothing elsewhere', async () => {
    const target = join(dir, 'model');
    const bytes = new TextEncoder().encode('{"how": "prepared"}');
    await writeModel(quantizedGraph(), target, { beside: [{ name: 'model.rebatch.json', bytes }] });
    expect(await readFile(join(target, 'model.rebatch.json'), 'utf8')).toBe('{"how": "prepared"}');
    const before = await contents();
    // It is more than a model to whoever does not name it.
    await expect(writeModel(quantizedGraph(), target, { overwrite: true })).rejects.toThrow(
      /holds model.rebatch.json/,
    );
    for (const name of ['model.json', 'a.bin', '../out.json', '..', 'deep/er.json']) {
      await expect(
        writeModel(quantizedGraph(), target, { overwrite: true, beside: [{ name, bytes }] }),
      ).rejects.toThrow(/cannot be written beside a model/);
    }
    for (const odd of [{ 'model.rebatch.json': bytes }, [bytes], [null], 'model.rebatch.json']) {
      const refused = writeModel(quantizedGraph(), target, { overwrite: true, beside: odd as never });
      await expect(refused).rejects.toThrow(FileWriteError);
      await expect(refused).rejects.toThrow(/option beside to be a list of files \{ name, bytes \}, got/);
    }
    expect(await contents()).toEqual(before);
    await writeModel(await savedByLayers(), target, {
      overwrite: true,
      beside: [{ name: 'model.rebatch.json', bytes: new Uint8Array() }],
    });
    expect(await readFile(join(target, 'model.rebatch.json'), 'utf8')).toBe('');
  });

  it.each([false, true])(
    'leaves everything as it was when any step fails (replacing a model: %s)',
    async (replace) => {
      const target = replace ? join(dir, 'model') : join(dir, 'some', 'where', 'model');
      if (replace) await writeModel(quantizedGraph(), target);
      const before = await contents();
      const artifacts = await savedByLayers();
      const write = () => writeModel(artifacts, target, { overwrite: replace, shardBytes: 200 });
      let failures = 0;
      for (let failAt = 1; ; failAt++) {
        Object.assign(disk, { failAt, count: 0 });
        const error = await write().catch((thrown: unknown) => thrown);
        disk.failAt = 0;
        if (typeof error === 'string') break;
        expect(error).toBeInstanceOf(FileWriteError);
        expect((error as Error).message).toMatch(/the disk is full/);
        expect(await contents()).toEqual(before);
        failures++;
      }
      // Two folders, three calls for each file, and the renaming.
      expect(failures).toBeGreaterThan(10);
      expect((await openModel(target)).artifacts).toEqual(artifacts);
      expect(await readdir(dirname(target))).toEqual(['model']);
    },
  );

  it('leaves nothing when it is aborted', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const writing = writeModel(quantizedGraph(), join(dir, 'model'), { signal: controller.signal });
    await expect(writing).rejects.toThrow('enough');
    expect(await contents()).toEqual({});
  });

  it('writes nothing that could not be opened again', async () => {
    const artifacts = { ...quantizedGraph(), weightData: new ArrayBuffer(3) };
    await expect(writeModel(artifacts, join(dir, 'model'))).rejects.toThrow(MalformedFileError);
    await expect(writeModel(quantizedGraph(), join(dir, 'model'), { shardBytes: 0 })).rejects.toThrow(
      /shardBytes/,
    );
    expect(await contents()).toEqual({});
  });
});
