// In a browser: what a visitor chose, and what lies at an address.

import * as tf from '@tensorflow/tfjs-core';
import { unzipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import '@tensorflow/tfjs-backend-cpu';
import { FileAccessError, modelFiles, openModel } from './index.ts';
import { predict } from './testing/run.ts';

let fixtures: Record<string, Uint8Array>;

beforeAll(async () => {
  await tf.setBackend('cpu');
  const response = await fetch(new URL('../fixtures/keras3.zip', import.meta.url));
  fixtures = unzipSync(new Uint8Array(await response.arrayBuffer()));
});

const file = (name: string) => new File([fixtures[name]!.slice()], name);

describe('a visitor', () => {
  it.each(['cnn.keras', 'cnn.keras3.h5'])('chooses %s, which predicts what Keras does', async (name) => {
    const [output] = await predict(await openModel(file(name)));
    const wanted = JSON.parse(new TextDecoder().decode(fixtures['predictions.json'])).cnn[0]
      .values as number[];
    for (const [i, value] of output!.values.entries()) expect(value).toBeCloseTo(wanted[i]!, 5);
  });

  it('chooses all files of a model, in any order', async () => {
    const { artifacts } = await openModel(file('cnn.keras'));
    const chosen = modelFiles(artifacts, { shardBytes: 300 }).map(
      ({ name, bytes }) => new File([bytes.slice()], name),
    );
    expect((await openModel(chosen.reverse())).artifacts).toEqual(artifacts);
  });
});

describe('an address', () => {
  it('is read', async () => {
    const address = URL.createObjectURL(file('half.keras'));
    expect((await openModel(address)).artifacts).toEqual((await openModel(file('half.keras'))).artifacts);
    URL.revokeObjectURL(address);
  });

  it('that is not there says so', async () => {
    const opening = openModel(new URL('/nowhere/model.keras?', 'http://127.0.0.1:1'));
    await expect(opening).rejects.toThrow(FileAccessError);
  });
});
