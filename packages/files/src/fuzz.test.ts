// More than 10,000 damaged files of every kind. Each must open, or end in one of our errors; none may hang, take all memory,
// change a prototype, or be caught only by the net below the readers. What opens, TensorFlow.js is made to load, too.

import { seededRandom } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { unzipSync, zipSync } from 'fflate';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import '@tensorflow/tfjs-backend-cpu';
import {
  ModelFileError,
  modelFiles,
  type NamedBytes,
  type OpenOptions,
  openModel,
  toIOHandler,
} from './index.ts';
import { fixture } from './testing/fixtures.ts';
import { quantizedGraph, savedByLayers } from './testing/models.ts';
import { type Below, belowOf, damageBytes, damageJson, damageText } from './testing/mutations.ts';

beforeAll(() => tf.setBackend('cpu'));
afterEach(() => {
  expect(Object.prototype).not.toHaveProperty('polluted');
});

interface Outcome {
  readonly opened: number;
  readonly refused: number;
  /** How many different messages there were, numbers and names aside: how deep the damage went. */
  readonly reasons: number;
}

/** Opens `runs` damaged files. Throws with the seed of the first that does not end as it should. */
async function fuzz(
  runs: number,
  seed: number,
  make: (below: Below) => NamedBytes[],
  { load = false, ...options }: OpenOptions & { load?: boolean } = {},
): Promise<Outcome> {
  let opened = 0;
  const reasons = new Set<string>();
  for (let run = 0; run < runs; run++) {
    const files = make(belowOf(seededRandom(seed * 1_000_003 + run)));
    try {
      const model = await openModel(files, options);
      opened++;
      if (load && model.format === 'layers-model') {
        const layers = await tfl.loadLayersModel(toIOHandler(model)).catch(() => undefined);
        layers?.dispose();
      }
    } catch (error) {
      const netted = String(error).includes('The file cannot be read:');
      if (!(error instanceof ModelFileError) || netted) {
        throw new Error(`Run ${run} of seed ${seed} ends in ${error}`, { cause: error });
      }
      reasons.add(error.message.replaceAll(/'[^']*'|"[^"]*"|-?[\d.e+]+/g, '#').slice(0, 80));
    }
  }
  return { opened, refused: runs - opened, reasons: reasons.size };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const encode = (value: unknown) => encoder.encode(JSON.stringify(value) ?? 'null');

describe('damaged bytes of HDF5', () => {
  it.each([
    ['cnn.h5', 1500],
    ['cnn-chunked.h5', 1000],
    ['dense-f4.h5', 1000],
    ['split.h5', 500],
  ])('%s, %i times', async (name, runs) => {
    const { bytes } = fixture('keras2', name);
    const outcome = await fuzz(runs, 1, (below) => [{ name, bytes: damageBytes(bytes, below) }]);
    expect(outcome.refused).toBeGreaterThan(runs / 10);
    expect(outcome.reasons).toBeGreaterThan(20);
  });
});

describe('damaged bytes of .keras', () => {
  it('2000 times', async () => {
    const names = ['cnn.keras', 'nested.keras', 'half.keras', 'mixed.keras'];
    const outcome = await fuzz(2000, 2, (below) => {
      const { name, bytes } = fixture('keras3', names[below(names.length)]!);
      return [{ name, bytes: damageBytes(bytes, below) }];
    });
    expect(outcome.refused).toBeGreaterThan(1500);
    expect(outcome.reasons).toBeGreaterThan(10);
  });

  it('1000 times packed, so that what is damaged is unpacked first', async () => {
    const packed = zipSync(unpacked('half.keras'), { level: 6 });
    const outcome = await fuzz(1000, 3, (below) => [
      { name: 'half.keras', bytes: damageBytes(packed, below) },
    ]);
    expect(outcome.refused).toBeGreaterThan(500);
  });
});

describe('damaged configurations of Keras', () => {
  it.each([
    ['cnn.keras', 600],
    ['nested.keras', 600],
    ['recurrent.keras', 600],
    ['layers.keras', 400],
  ])('%s, %i times', async (name, runs) => {
    const entries = unpacked(name);
    const config = JSON.parse(decoder.decode(entries['config.json']!));
    const outcome = await fuzz(
      runs,
      4,
      (below) => {
        const damaged = { ...entries, 'config.json': encode(damageJson(config, below)) };
        return [{ name, bytes: zipSync(damaged, { level: 0 }) }];
      },
      { load: true },
    );
    expect(outcome.reasons).toBeGreaterThan(10);
    expect(outcome.opened).toBeGreaterThan(0);
  });

  it('with their weights in another file, 500 times', async () => {
    const { bytes } = fixture('keras2', 'cnn-weights.h5');
    const config = JSON.parse(decoder.decode(fixture('keras2', 'cnn-weights.json').bytes));
    for (let run = 0; run < 500; run++) {
      const damaged = damageJson(config, belowOf(seededRandom(5_000_000 + run)));
      // Not every value is a configuration at all; the type says so, JavaScript does not.
      const options = { config: (damaged ?? 0) as object };
      await fuzz(1, run, () => [{ name: 'cnn-weights.h5', bytes }], options);
    }
  });
});

describe('damaged models of TensorFlow.js', () => {
  const makers = [savedByLayers, async () => quantizedGraph()];
  it.each(['layers', 'graph'])('in the structure of model.json, 1000 times (%s)', async (kind) => {
    const [json, ...shards] = modelFiles(await makers[kind === 'layers' ? 0 : 1]!(), { shardBytes: 64 });
    const model = JSON.parse(decoder.decode(json!.bytes));
    const outcome = await fuzz(
      1000,
      6,
      (below) => [{ name: 'model.json', bytes: encode(damageJson(model, below)) }, ...shards],
      { load: true },
    );
    expect(outcome.reasons).toBeGreaterThan(20);
  });

  it('in the text of model.json, 1000 times', async () => {
    const lists = await Promise.all(makers.map(async (make) => modelFiles(await make(), { shardBytes: 64 })));
    const outcome = await fuzz(1000, 7, (below) => {
      const [json, ...shards] = lists[below(lists.length)]!;
      return [
        { name: 'model.json', bytes: encoder.encode(damageText(decoder.decode(json!.bytes), below)) },
        ...shards,
      ];
    });
    expect(outcome.refused).toBeGreaterThan(500);
  });

  it('in their weight files: missing, short, long, exchanged, 500 times', async () => {
    const files = modelFiles(quantizedGraph(), { shardBytes: 5 });
    const outcome = await fuzz(500, 8, (below) => {
      const at = 1 + below(files.length - 1);
      const changed = files[at]!;
      const bytes = new Uint8Array(below(12));
      bytes.set(changed.bytes.subarray(0, bytes.length));
      const rest = files.filter((_, i) => i !== at);
      return below(4) === 0 ? rest : [...rest, { name: changed.name, bytes }];
    });
    expect(outcome.refused).toBeGreaterThan(300);
  });
});

it('nothing but noise, 800 times', async () => {
  const starts = ['\x89HDF\r\n\x1a\n', 'PK\x03\x04', '{"modelTopology":', ''];
  const outcome = await fuzz(800, 9, (below) => {
    const start = starts[below(starts.length)]!;
    const bytes = Uint8Array.from({ length: 8 + below(4000) }, (_, i) => start.charCodeAt(i) || below(256));
    return [{ name: 'noise', bytes }];
  });
  expect(outcome.refused).toBe(800);
});

/** The entries of a `.keras` file. */
function unpacked(name: string): Record<string, Uint8Array> {
  return unzipSync(fixture('keras3', name).bytes);
}
