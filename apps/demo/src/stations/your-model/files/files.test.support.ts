// Files for the tests: a small model as model.save would write it.

import type { GivenFile } from '../settings.ts';

export function given(path: string, content: BlobPart): GivenFile {
  return { path, file: new File([content], path.split('/').at(-1) as string) };
}

/** Two weights, one of them quantized: 4 float32 values, then 3 uint8 ones. */
export const MODEL = {
  format: 'layers-model',
  generatedBy: 'a test',
  modelTopology: {
    class_name: 'Sequential',
    config: { layers: [{ class_name: 'BatchNormalization', config: { name: 'bn' } }] },
  },
  weightsManifest: [
    {
      paths: ['./group1-shard1of2.bin', './group1-shard2of2.bin'],
      weights: [
        { name: 'bn/moving_mean', shape: [4], dtype: 'float32' },
        {
          name: 'bn/moving_variance',
          shape: [3],
          dtype: 'float32',
          quantization: { dtype: 'uint8', scale: 0.5, min: 1 },
        },
      ],
    },
  ],
};

export const SHARDS = [
  given('group1-shard1of2.bin', new Float32Array([1, 2, 3, 4])),
  given('group1-shard2of2.bin', new Uint8Array([5, 6, 7])),
];

export const modelJson = (content: unknown = MODEL) => given('model.json', JSON.stringify(content));
