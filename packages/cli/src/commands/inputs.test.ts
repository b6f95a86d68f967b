// What else people have: Keras files, and models of several inputs.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { toIOHandler } from '@rebatch/files';
import { openModel } from '@rebatch/files/node';
import { expectClose, seededRandom } from '@rebatch/testing';
import * as tfl from '@tensorflow/tfjs-layers';
import { unzipSync, zipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadModel } from '../model/load-model.ts';
import type { RepairOutput } from '../report/repair-report.ts';
import { float32, npy } from '../testing/arrays.ts';
import { asFloats, weightsIn, writeLayers } from '../testing/models.ts';
import { type PhotoFolder, photoFolder } from '../testing/photo-folder.ts';
import { writeFiles } from '../testing/pictures.ts';
import { rebatch, rebatchJson } from '../testing/run-cli.ts';
import type { CompareOutput } from './run/compare.ts';
import type { InspectOutput } from './run/inspect.ts';

const random = seededRandom(8);
let photos: PhotoFolder;
const at = (name: string) => photos.at(name);

beforeAll(async () => {
  photos = await photoFolder();
});
afterAll(() => photos.remove());

test('Keras files are recalibrated into a folder beside them', async () => {
  const archive = await readFile(
    fileURLToPath(new URL('../../../files/fixtures/keras3.zip', import.meta.url)),
  );
  const files = unzipSync(archive);
  for (const name of ['cnn.keras', 'cnn.keras3.h5'])
    await writeFiles(photos.folder, { [`keras/${name}`]: files[name]! });
  for (const name of ['cnn.keras', 'cnn.keras3.h5']) {
    const shown = await rebatchJson<InspectOutput>('inspect', at(`keras/${name}`));
    const input = (await loadModel(at(`keras/${name}`), { signal: new AbortController().signal })).inputs[0]!;
    expect(input.shape).toHaveLength(4);
    const result = await rebatchJson<RepairOutput>(
      'recalibrate',
      at(`keras/${name}`),
      at('photos'),
      '--force',
      ...(input.shape[1] === null ? ['--size', '16'] : []),
    );
    expect(result.model.kind).toBe(name.endsWith('.keras') ? 'keras-v3' : 'keras-h5');
    expect(result.report.layers.map((layer) => layer.name)).toEqual(shown.sites.map((site) => site.name));
    const { format } = await openModel(at(`keras/${name.replace(/\.\w+$/, '')}-recalibrated`));
    expect(format).toBe('layers-model');
  }
  await tfl
    .loadLayersModel(toIOHandler(await openModel(at('keras/cnn-recalibrated'))))
    .then((model) => model.dispose());
});

test.each([
  ['look.npy', 'rest.npy'],
  ['rest.npy', 'look.npy'],
])(
  'of several arrays, bytes are taken as pictures and others as they are: %s before %s',
  async (...order) => {
    // Neither has the shape that the model takes, and the one of numbers is the model's first input.
    const [rest, look] = [
      tfl.input({ shape: [3], name: 'rest' }),
      tfl.input({ shape: [2, 1], name: 'look' }),
    ];
    const flat = tfl.layers.flatten().apply(look) as tfl.SymbolicTensor;
    const y = tfl.layers
      .batchNormalization({ name: 'bn' })
      .apply(tfl.layers.concatenate().apply([rest, flat]) as tfl.SymbolicTensor) as tfl.SymbolicTensor;
    const model = await writeLayers(tfl.model({ inputs: [rest, look], outputs: y }), at(`mixed-${order[0]}`));
    const bytes = Array.from({ length: 40 * 2 }, (_, i) => (37 * i) % 256);
    const numbers = Array.from(random.normals(40 * 3, -1, 0.5));
    const arrays: Record<string, Uint8Array> = {
      'look.npy': npy('|u1', [40, 2], Uint8Array.from(bytes)),
      'rest.npy': npy('<f4', [40, 3, 1], float32(numbers)),
    };
    const data = `mixed-${order[0]}.npz`;
    await writeFiles(photos.folder, {
      [data]: zipSync(Object.fromEntries(order.map((name) => [name, arrays[name]!]))),
    });
    const meanOf = (values: readonly number[], every: number) =>
      Array.from({ length: every }, (_, c) => {
        let sum = 0;
        for (let i = c; i < values.length; i += every) sum += values[i]!;
        return sum / (values.length / every);
      });
    const asTold = async (prepared: (byte: number) => number, ...flags: string[]) => {
      const result = await rebatchJson<RepairOutput>('recalibrate', model, at(data), '--overwrite', ...flags);
      expect(result.data.asTheyAre).toEqual(['rest']);
      expectClose(
        asFloats((await weightsIn(`${model}-recalibrated`))['bn/moving_mean']!),
        [...meanOf(numbers, 3), ...meanOf(bytes.map(prepared), 2)],
        1e-5,
      );
    };
    await asTold((byte) => byte / 255);
    await asTold((byte) => byte / 127.5 - 1, '--preset', '-1..1', '--force');
    const { out } = await rebatch('recalibrate', model, at(data), '--dry-run', '--overwrite');
    expect(out).toContain(
      "Inputs prepared as values from -1 to 1 (-1..1), nhwc, 'rest' as it is; as the file",
    );
  },
);

test('models of several inputs take an array for each, by its name', async () => {
  const [left, right] = ['left', 'right'].map((name, i) => tfl.input({ shape: [2 + i], name }));
  const joined = tfl.layers.concatenate().apply([left!, right!]) as tfl.SymbolicTensor;
  const y = tfl.layers.batchNormalization({ name: 'bn' }).apply(joined) as tfl.SymbolicTensor;
  await writeLayers(tfl.model({ inputs: [left!, right!], outputs: y }), at('two-inputs'));
  const [a, b] = [random.normals(40 * 2, 3, 2), random.normals(40 * 3, -1, 0.5)];
  const arrays = {
    'right.npy': npy('<f4', [40, 3], float32([...b])),
    'left.npy': npy('<f4', [40, 2], float32([...a])),
  };
  await writeFiles(photos.folder, { 'both.npz': zipSync(arrays) });
  await rebatchJson('recalibrate', at('two-inputs'), at('both.npz'));
  const mean = [0, 1]
    .map((c) => a.filter((_, i) => i % 2 === c))
    .concat([0, 1, 2].map((c) => b.filter((_, i) => i % 3 === c)));
  expectClose(
    asFloats((await weightsIn(at('two-inputs-recalibrated')))['bn/moving_mean']!),
    mean.map((column) => column.reduce((sum, value) => sum + value, 0) / 40),
    1e-5,
  );
  const same = await rebatchJson<CompareOutput>(
    'compare',
    at('two-inputs'),
    at('two-inputs'),
    at('both.npz'),
  );
  expect(same.agreement.difference!.max).toBe(0);
  await writeFiles(photos.folder, {
    'other.npz': zipSync({ 'left.npy': arrays['left.npy'], 'wrong.npy': arrays['right.npy'] }),
  });
  const { code, err } = await rebatch('recalibrate', at('two-inputs'), at('other.npz'), '--overwrite');
  expect([code, err]).toEqual([
    4,
    "Error: Expected an array for each input of the model, 'right' too, got left, wrong.\n",
  ]);
  const pictures = await rebatch('recalibrate', at('two-inputs'), at('photos'), '--overwrite');
  expect([pictures.code, pictures.err]).toEqual([4, expect.stringContaining('takes 2 inputs (left, right)')]);
});
