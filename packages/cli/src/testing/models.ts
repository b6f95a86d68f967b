// Small models in folders, and what is in them, for tests.
import { openModel, writeModel } from '@rebatch/files/node';
import { savedModel } from '@rebatch/test-models';
import type * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

/** Writes a model into a folder, and disposes it. */
export async function writeLayers(model: tfl.LayersModel, folder: string): Promise<string> {
  try {
    await writeModel(await savedModel(model), folder);
    return folder;
  } finally {
    model.dispose();
  }
}

/** A convolution for pictures of `side` x `side`, one batch norm and three classes. */
export function pictureModel({
  side = 8,
  channels = 3,
  bn = true,
}: {
  side?: number | null;
  channels?: number;
  bn?: boolean;
} = {}): tfl.Sequential {
  return tfl.sequential({
    name: 'pictures',
    layers: [
      tfl.layers.conv2d({
        filters: 4,
        kernelSize: 3,
        inputShape: [side, side, channels],
        kernelInitializer: tfl.initializers.glorotNormal({ seed: 1 }),
        name: 'conv',
      }),
      ...(bn ? [tfl.layers.batchNormalization({ name: 'bn' })] : []),
      tfl.layers.reLU({ name: 'relu' }),
      tfl.layers.globalAveragePooling2d({ name: 'pool' }),
      tfl.layers.dense({
        units: 3,
        activation: 'softmax',
        kernelInitializer: tfl.initializers.glorotNormal({ seed: 2 }),
        name: 'classes',
      }),
    ],
  });
}

/** The weights of a model's file as they are stored, by name. */
export async function weightsIn(path: string): Promise<Record<string, Uint8Array>> {
  const { artifacts } = await openModel(path);
  return weightsOfArtifacts(artifacts);
}

export function weightsOfArtifacts({
  weightSpecs = [],
  weightData,
}: tf.io.ModelArtifacts): Record<string, Uint8Array> {
  const bytes = new Uint8Array(weightData as ArrayBuffer);
  let at = 0;
  const each = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 } as Readonly<
    Record<string, number>
  >;
  return Object.fromEntries(
    weightSpecs.map(({ name, shape, dtype, quantization }) => {
      const length = shape.reduce((a, b) => a * b, each[quantization?.dtype ?? dtype]!);
      at += length;
      return [name, bytes.slice(at - length, at)];
    }),
  );
}

export const asFloats = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);
