// `pnpm --filter @rebatch/demo photographs`: writes the photographs that the lab shows, and what its network's layers see on
// clean ones, beside that network. Test photographs of CIFAR-10, chosen by a seed; the references are of training ones.

import '@rebatch/kernels-wasm';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadCifar10, CLASSES as NAMES, splitsOf } from '@rebatch/cifar10';
import { captureReference, type Reference } from '@rebatch/domains';
import { type LabeledImages, subset } from '@rebatch/images';
import { progressBar } from '@rebatch/npm-files';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { PNG } from 'pngjs';
import seedrandom from 'seedrandom';
import { imagesInBatches } from '../src/network/images-in-batches.ts';
import { CLASSES, PER_CLASS, SIDE } from '../src/stations/domains/photographs/settings.ts';

const FOLDER = new URL('../public/models/photographs/', import.meta.url);
const DATA = fileURLToPath(new URL('../node_modules/.cache/cifar10/', import.meta.url));
const SEED = 'photographs of the lab';
/** Training photographs of each class that references are of. */
const REFERENCE_PER_CLASS = 64;

if (NAMES.join() !== CLASSES.join()) throw new Error('The classes of the lab are not those of CIFAR-10.');
tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
if (!(await tf.setBackend('wasm'))) throw new Error('The WASM backend of TensorFlow.js does not start here.');
const { signal } = new AbortController();
const all = await loadCifar10({ folder: DATA, signal, progress: progressBar() });

await writeFile(new URL('sheet.png', FOLDER), sheetOf(chosen(all.test, PER_CLASS)));
const model = await savedModel();
const known = chosen(splitsOf(all.training).training, REFERENCE_PER_CLASS);
const reference = (of: LabeledImages) => captureReference(model, imagesInBatches(of, of.size, 64));
const ofClass = (label: number) =>
  subset(
    known,
    Array.from({ length: REFERENCE_PER_CLASS }, (_, i) => label * REFERENCE_PER_CLASS + i),
  );
const references: { all: Reference; classes: Reference[] } = { all: await reference(known), classes: [] };
for (const label of CLASSES.keys()) references.classes.push(await reference(ofClass(label)));
await writeFile(new URL('references.json', FOLDER), `${JSON.stringify(references)}\n`);

/** So many photographs of each class, class by class. */
function chosen(photographs: LabeledImages, perClass: number): LabeledImages {
  const random = seedrandom(SEED);
  const order = Array.from(photographs.labels.keys())
    .map((index) => ({ index, at: random() }))
    .sort((a, b) => a.at - b.at);
  return subset(
    photographs,
    CLASSES.flatMap((_, label) =>
      order
        .filter(({ index }) => photographs.labels[index] === label)
        .slice(0, perClass)
        .map(({ index }) => index),
    ),
  );
}

function sheetOf({ images, size }: LabeledImages): Buffer {
  const width = PER_CLASS * SIDE;
  const png = new PNG({ width, height: (size / PER_CLASS) * SIDE });
  png.data.fill(255);
  for (let photograph = 0; photograph < size; photograph++) {
    const [left, top] = [(photograph % PER_CLASS) * SIDE, Math.floor(photograph / PER_CLASS) * SIDE];
    for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
      const from = 3 * (photograph * SIDE * SIDE + pixel);
      const to = 4 * ((top + Math.floor(pixel / SIDE)) * width + left + (pixel % SIDE));
      png.data.set(images.subarray(from, from + 3), to);
    }
  }
  // RGB without alpha, the best filter for each line.
  return PNG.sync.write(png, { colorType: 2, filterType: -1, deflateLevel: 9 });
}

async function savedModel(): Promise<tfl.LayersModel> {
  const [json, weights] = await Promise.all([
    readFile(new URL('model.json', FOLDER), 'utf8').then(JSON.parse),
    readFile(new URL('weights.bin', FOLDER)),
  ]);
  return tfl.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest[0].weights,
      weightData: Uint8Array.from(weights).buffer,
    }),
  );
}
