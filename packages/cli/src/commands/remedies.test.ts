// What packages advise about data is said in options that the command line has.
import { join } from 'node:path';
import * as tfl from '@tensorflow/tfjs-layers';
import { zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { startBackend } from '../model/backend.ts';
import { float32, npy } from '../testing/arrays.ts';
import { writeLayers } from '../testing/models.ts';
import { inFolder, writeFiles } from '../testing/pictures.ts';
import { rebatch } from '../testing/run-cli.ts';

test.each<[string, string[], RegExp]>([
  ['twelve.npz', ['--batch-size', '12'], /cut it into smaller batches with --batch-size\./],
  ['twelve.npz', ['--batch-size', '1'], /use larger batches, such as by --batch-size 32\.\n/],
  ['twelve.npz', ['--samples', '90', '--batch-size', '3'], /or leave --samples out\./],
  ['third.npz', ['--batch-size', '3'], /from 0 to 1, got 2\. Inspect without errors: --no-labels\./],
])('inspect of %s with %j', (data, options, said) =>
  inFolder(async (folder) => {
    await startBackend('wasm');
    const { layers } = tfl;
    const all = [layers.dense({ units: 2, inputShape: [2] }), layers.batchNormalization(), layers.softmax()];
    await writeLayers(tfl.sequential({ layers: all }), join(folder, 'two-classes'));
    const xs = npy('<f4', [12, 2], float32(Array.from({ length: 24 }, (_, i) => Math.sin(i))));
    const labelled = (labelOf: (i: number) => number) =>
      zipSync({
        'x.npy': xs,
        'y.npy': npy(
          '|u1',
          [12],
          Uint8Array.from({ length: 12 }, (_, i) => labelOf(i)),
        ),
      });
    await writeFiles(folder, { 'twelve.npz': labelled((i) => i % 2), 'third.npz': labelled(() => 2) });
    const { code, out, err } = await rebatch(
      ...['inspect', join(folder, 'two-classes'), join(folder, data), ...options],
    );
    expect([code, out, err]).toEqual([4, '', expect.stringMatching(said)]);
  }),
);
