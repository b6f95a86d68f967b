// The commands on converted graphs.
import { readFile } from 'node:fs/promises';
import { writeModel } from '@rebatch/files/node';
import { attribute, GraphWriter, writeGraph } from '@rebatch/test-models/graphs';
import { expectClose, seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RepairOutput } from '../report/repair-report.ts';
import { laggingModel, type PhotoFolder, photoFolder, predicts } from '../testing/photo-folder.ts';
import { plain, writeFiles } from '../testing/pictures.ts';
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

describe('graphs', () => {
  test('are adapted relative to a reference, baked, and run without Rebatch', async () => {
    const model = laggingModel();
    await writeModel(writeGraph(model), at('graph'));
    model.dispose();
    const shown = await rebatchJson<InspectOutput>('inspect', at('graph'), at('photos'));
    expect(shown).toMatchObject({ report: null, sites: [{ folded: true }, { folded: true }] });
    const refused = await rebatch('recalibrate', at('graph'), at('photos'));
    expect(refused.code).toBe(3);
    expect(refused.err).toMatch(
      /folded into its weights.*rebatch reference .*graph known-pictures\/, then rebatch adapt/,
    );
    const without = await rebatch('adapt', at('graph'), at('photos'));
    expect(without.code).toBe(3);
    expect(without.err).toMatch(/Measure these once: rebatch reference/);

    await rebatchJson('reference', at('graph'), at('photos'));
    const reference = ['--reference', at('graph.reference.json')];
    // On the reference itself, nothing moves.
    await rebatchJson('adapt', at('graph'), at('photos'), ...reference, '--prior', '0');
    const same = await rebatchJson<CompareOutput>('compare', at('graph'), at('graph-adapted'), at('photos'));
    expect(same.agreement.difference!.max).toBeLessThan(1e-4);
    // Pictures of half the contrast are brought back to where the others were.
    await rebatchJson(
      'adapt',
      at('graph'),
      at('photos'),
      ...reference,
      '--prior',
      '0',
      '--scale',
      '1/510',
      '--out',
      at('dim'),
      '--statistics',
      at('dim.json'),
    );
    const xs = tf.randomUniform([4, 8, 8, 3], 0, 1, 'float32', 5);
    const half = tf.mul(xs, 0.5);
    expectClose(await predicts(at('dim'), half), await predicts(at('graph'), xs), 1e-3);
    await rebatchJson('bake', at('graph'), at('dim.json'));
    expectClose(await predicts(at('graph-baked'), half), await predicts(at('dim'), half), 1e-6);
    tf.dispose([xs, half]);
    const { code, err } = await rebatch('adapt', at('model'), at('photos'), ...reference);
    expect(code).toBe(4);
    expect(err).toMatch(/the reference is of another model/);
  });

  test('built for batches of one size, or for whole numbers, get these', async () => {
    const graph = new GraphWriter();
    const x = graph.input('x', [2, 8, 8, 3], 'DT_INT32');
    graph.node('Cast', 'cast', [x], { DstT: attribute.type('DT_FLOAT'), SrcT: attribute.type('DT_INT32') });
    graph.constant('w', random.normals(192 * 3, 0, 0.01), [192, 3]);
    graph.ints('flat', [2, 192]);
    graph.node('Reshape', 'rows', ['cast', 'flat']);
    graph.node('MatMul', 'product', ['rows', 'w']);
    graph.constant('b', [0.5, -0.5, 0], [3]);
    const y = graph.node('BiasAdd', 'y', ['product', 'b']);
    await writeModel(graph.artifacts({ [y]: [2, 3] }), at('whole'));
    await writeFiles(photos.folder, { 'odd/0.png': await plain([9, 8, 7], 8) });
    for (let i = 1; i < 5; i++)
      await writeFiles(photos.folder, { [`odd/${i}.png`]: await plain([50 * i, 5, 99], 8) });
    const { data } = await rebatchJson<RepairOutput>('reference', at('whole'), at('odd'));
    expect(data.preprocessing).toMatchObject({ scale: 1, mean: [0], std: [1] });
    const reference = JSON.parse(await readFile(at('whole.reference.json'), 'utf8'));
    // Five, of which the last fits into no batch.
    expect(reference.samples).toBe(4);
    const result = await rebatchJson<RepairOutput>(
      'adapt',
      at('whole'),
      at('odd'),
      '--reference',
      at('whole.reference.json'),
      '--report',
      at('whole.html'),
    );
    expect(result.report).toMatchObject({ samples: 4, batches: 2 });
  });

  test('with batch norms left are recalibrated', async () => {
    const model = laggingModel();
    await writeModel(writeGraph(model, { batchNorms: 'kept' }), at('kept'));
    model.dispose();
    // Others have a bias, into which one may have been folded for all that is known: they stay as they are.
    const about = ['--batch-size', '12', '--statistics'];
    const plainly = await rebatch(
      'recalibrate',
      at('kept'),
      at('photos'),
      ...about,
      at('graph-statistics.json'),
    );
    expect(plainly.code).toBe(0);
    expect(plainly.err).toContain(
      "Note: weights with a bias stay as they are ('conv', 'classes'), into which",
    );
    await rebatchJson('recalibrate', at('model'), at('photos'), ...about, at('layers-statistics.json'));
    const sitesIn = async (name: string) => JSON.parse(await readFile(at(name), 'utf8')).sites;
    const [[bn, ...others], [expected]] = [
      await sitesIn('graph-statistics.json'),
      await sitesIn('layers-statistics.json'),
    ];
    expect(others).toEqual([]);
    expectClose(bn.mean, expected.mean, 1e-6);
    expectClose(bn.variance, expected.variance, 1e-6);
    const xs = tf.randomUniform([4, 8, 8, 3], 0, 1, 'float32', 5);
    const right = await predicts(at('model-recalibrated'), xs);
    expectClose(await predicts(at('kept-recalibrated'), xs), right, 1e-5);

    // The same by other ways: from the file, in two parts, on threads.
    await rebatchJson('bake', at('kept'), at('graph-statistics.json'));
    expectClose(await predicts(at('kept-baked'), xs), right, 1e-5);
    for (const part of ['1', '2'])
      await rebatchJson(
        ...['recalibrate', at('kept'), at('photos'), '--batch-size', '12'],
        ...['--shard', `${part}/2`, '--states', at(`part-${part}.json`)],
      );
    await rebatchJson('merge', at('kept'), at('part-1.json'), at('part-2.json'), '--out', at('kept-merged'));
    expectClose(await predicts(at('kept-merged'), xs), right, 1e-5);
    const inParts = [
      '--batch-size',
      '12',
      '--checkpoint',
      at('kept.checkpoint'),
      '--out',
      at('kept-in-parts'),
    ];
    await rebatchJson('recalibrate', at('kept'), at('photos'), ...inParts);
    expectClose(await predicts(at('kept-in-parts'), xs), right, 1e-5);
    xs.dispose();

    const inspected = await rebatchJson<InspectOutput>(
      'inspect',
      at('kept'),
      at('photos'),
      '--batch-size',
      '4',
    );
    expect(inspected.report!.layers.map(({ name }) => name)).toEqual(['bn']);
    expect(inspected.sites).toEqual([{ name: 'bn', channels: 4, folded: false }]);
    expect(inspected.leftOut).toEqual([
      { name: 'conv', reason: 'its statistics, if it had any, were folded into its weights' },
      { name: 'classes', reason: 'its statistics, if it had any, were folded into its weights' },
    ]);
    const adapted = await rebatchJson<RepairOutput>('adapt', at('kept'), at('photos'));
    expect(adapted.report.layers.map(({ name }) => name)).toEqual(['bn']);
    // Relative to a reference, all are matched.
    await rebatchJson('reference', at('kept'), at('photos'));
    const reference = ['--reference', at('kept.reference.json'), '--out', at('kept-matched')];
    const matched = await rebatchJson<RepairOutput>('adapt', at('kept'), at('photos'), ...reference);
    expect(matched.report.layers.map(({ name }) => name)).toEqual(['conv', 'bn', 'classes']);
  });
});
