// The network of float64 loops, as a model in a folder, with data beside it.
import { join } from 'node:path';
import { makeBlocks, makeSequential } from '@rebatch/test-models';
import { seededRandom } from '@rebatch/testing';
import { float32, npy } from './arrays.ts';
import { writeLayers } from './models.ts';
import { inFolder, writeFiles } from './pictures.ts';

/** Goes on where the blocks and values end. */
export const random = seededRandom(3);
export const blocks = makeBlocks(random, [5, 6, 4]);
/** Of 60 samples. */
export const values = random.normals(60 * 5, 0.4, 1.2);

export interface NetworkPaths {
  readonly folder: string;
  readonly model: string;
  readonly data: string;
}

/** Removed when `use` is done. */
export async function withNetwork(use: (paths: NetworkPaths) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const model = await writeLayers(makeSequential(blocks), join(folder, 'net'));
    await writeFiles(folder, { 'x.npy': npy('<f4', [60, 5], float32([...values])) });
    await use({ folder, model, data: join(folder, 'x.npy') });
  });
}
