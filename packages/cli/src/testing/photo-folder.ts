// What the tests of commands start from: a model whose statistics are off, and pictures in three classes.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyStatistics } from '@rebatch/models';
import { seededRandom } from '@rebatch/testing';
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { startBackend } from '../model/backend.ts';
import { loadModel } from '../model/load-model.ts';
import { pictureModel, writeLayers } from './models.ts';
import { plain, writeFiles } from './pictures.ts';

/** A model of pictures whose stored statistics are far off. */
export function laggingModel(): tfl.Sequential {
  const model = pictureModel();
  applyStatistics(model, [{ name: 'bn', mean: [0.1, -0.2, 0.3, 0], variance: [2, 3, 0.5, 1] }]);
  return model;
}

/** A folder with `model/`, the lagging one, and `photos/`: 36 pictures of ants, bees and cats. */
export interface PhotoFolder {
  readonly folder: string;
  at(name: string): string;
  remove(): Promise<void>;
}

export async function photoFolder(): Promise<PhotoFolder> {
  await startBackend('wasm');
  const random = seededRandom(8);
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-cli-'));
  await writeLayers(laggingModel(), join(folder, 'model'));
  const classes = ['ants', 'bees', 'cats'];
  for (let i = 0; i < 36; i++) {
    const color = [random.normals(1, 120, 60)[0]!, 90 + 3 * i, 200 - 5 * i].map((v) =>
      Math.max(0, Math.min(255, Math.round(v))),
    );
    await writeFiles(folder, {
      [`photos/${classes[i % 3]}/${i}.png`]: await plain(color as unknown as [number, number, number], 9),
    });
  }
  return {
    folder,
    at: (name) => join(folder, name),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What a model says of some inputs. */
export async function predicts(path: string, xs: tf.Tensor): Promise<Float32Array> {
  const loaded = await loadModel(path, { signal: new AbortController().signal });
  try {
    const y = await loaded.predict(xs);
    try {
      return (await y.data()) as Float32Array;
    } finally {
      y.dispose();
    }
  } finally {
    loaded.dispose();
  }
}
