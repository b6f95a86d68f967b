// The command as a process of its own: what a shell sees.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { inFolder, writeFiles } from './testing/pictures.ts';

const BIN = fileURLToPath(new URL('../bin/rebatch.js', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../../../example', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function rebatch(args: readonly string[], watch?: (child: ChildProcess) => void): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [BIN, ...args], (error, out, err) => {
      resolve({ code: error ? (error.code as unknown as number) : 0, out, err });
    });
    watch?.(child);
  });
}

describe('the process', () => {
  test('prints the result on standard output, and ends with its code', async () => {
    const [version, good, bad] = await Promise.all([
      rebatch(['--version']),
      rebatch(['inspect', join(EXAMPLE, 'model'), join(EXAMPLE, 'digits'), '--json']),
      rebatch(['inspect', join(EXAMPLE, 'nowhere')]),
    ]);
    expect(version).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: '' });
    expect(good).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(good.out)).toMatchObject({ report: { samples: 384 } });
    expect(bad).toEqual({
      code: 3,
      out: '',
      err: expect.stringMatching(/^Error: .*nowhere does not exist\.\n$/),
    });
  });

  test('is ended by Ctrl-C while it computes, with 130 and nothing written', () =>
    inFolder(async (folder) => {
      const data = `export default async function* () {
        process.stderr.write('reading');
        for (;;) yield { values: new Float32Array(8 * 784), shape: [8, 28, 28, 1] };
      }`;
      await writeFiles(folder, { 'endless.mjs': data });
      const args = ['recalibrate', join(EXAMPLE, 'model'), join(folder, 'endless.mjs'), '--force'];
      const { code, out, err } = await rebatch([...args, '--out', join(folder, 'out')], (child) => {
        // Once for the check of the inputs, and once for the command.
        let read = '';
        child.stderr!.on('data', (text: string) => {
          const before = read.split('reading').length;
          read += text;
          // A second one would end it the hard way.
          if (before < 3 && read.split('reading').length >= 3) child.kill('SIGINT');
        });
      });
      expect({ code, out }).toEqual({ code: 130, out: '' });
      expect(err).toMatch(/Interrupted\. Nothing was written\.\n$/);
      expect(await readdir(folder)).toEqual(['endless.mjs']);
    }));

  test.skipIf(!existsSync('/dev/full'))('ends with 6 and a sentence where its output is full', async () => {
    const full = openSync('/dev/full', 'w');
    try {
      const args = ['recalibrate', join(EXAMPLE, 'model'), join(EXAMPLE, 'digits'), '--dry-run'];
      const child = spawn(process.execPath, [BIN, ...args, '--out', '/tmp/nowhere'], {
        stdio: ['ignore', full, 'pipe'],
      });
      let err = '';
      child.stderr!.on('data', (text) => {
        err += text;
      });
      const [code] = await once(child, 'close');
      expect([code, err]).toEqual([
        6,
        expect.stringMatching(/^Error: Standard output could not be written, the disk is full\. [^\n]+\n$/),
      ]);
    } finally {
      closeSync(full);
    }
  });

  test('ends with its own code where nobody reads what it says beside the result', async () => {
    const child = spawn(process.execPath, [BIN, 'inspect', join(EXAMPLE, 'nowhere')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr.destroy();
    expect(await once(child, 'close')).toEqual([3, null]);
  });

  test('ends with its own code where nobody reads the result', () =>
    inFolder(async (folder) => {
      const [model, made] = [join(EXAMPLE, 'model'), join(folder, 'recalibrated')];
      const recalibrate = ['recalibrate', model, join(EXAMPLE, 'digits'), '--out', made];
      expect(await rebatch(recalibrate)).toMatchObject({ code: 0 });
      const compare = ['compare', model, made, join(EXAMPLE, 'digits'), '--min-agreement', '1'];
      const child = spawn(process.execPath, [BIN, ...compare], { stdio: ['ignore', 'pipe', 'ignore'] });
      child.stdout.destroy();
      expect(await once(child, 'close')).toEqual([7, null]);
    }));

  test('completes commands, options and their values', async () => {
    const [script, commands, options, values] = await Promise.all([
      rebatch(['complete', 'zsh']),
      rebatch(['complete', '--', 're']),
      rebatch(['complete', '--', 'recalibrate', '--lay']),
      rebatch(['complete', '--', 'recalibrate', '--preset=']),
    ]);
    expect(script.out).toMatch(/^#compdef rebatch/);
    const names = (ended: Ended) => ended.out.split('\n').map((line) => line.split('\t')[0]);
    expect(names(commands)).toEqual(expect.arrayContaining(['recalibrate', 'reference']));
    expect(names(commands)).not.toContain('inspect');
    expect(names(options)).toContain('--layout');
    expect(names(values).join()).toContain('mobilenet');
  });
});
