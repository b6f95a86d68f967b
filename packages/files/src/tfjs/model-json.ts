import { checkNames, shown } from '@rebatch/stats/~internal';
import type { io } from '@tensorflow/tfjs-core';
import { checkArtifacts } from '../check/check-artifacts.ts';
import { MalformedFileError, ModelFileError } from '../errors.ts';
import type { Limits } from '../limits.ts';

/** A file that is not on a disk yet. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface WriteOptions {
  /** Bytes of each weight file but the last. Default 4 MiB, as TensorFlow.js's converter. */
  readonly shardBytes?: number;
  readonly limits?: Partial<Limits>;
}

/**
 * The files of a model: `model.json` and its weight files, named and cut as TensorFlow.js's converter does it. Weights are
 * kept byte by byte, quantized ones included; the files are views on them, not copies.
 *
 * Throws what `checkArtifacts` throws: a model that could not be opened again is not written.
 */
export function modelFiles(artifacts: io.ModelArtifacts, options: WriteOptions = {}): NamedBytes[] {
  checkNames('modelFiles', options, ['shardBytes', 'limits'], ModelFileError);
  const { shardBytes = 4 * 1024 * 1024 } = options;
  if (!Number.isSafeInteger(shardBytes) || shardBytes < 1) {
    throw new MalformedFileError(
      `shardBytes should be a whole number of at least 1, but is ${shown(shardBytes)}.`,
    );
  }
  checkArtifacts(artifacts, options.limits);
  const { modelTopology, weightSpecs, weightData, getWeightStream: _, ...rest } = artifacts;
  if (weightSpecs !== undefined && weightData === undefined) {
    throw new MalformedFileError('The model has specifications of weights, but no weights.');
  }
  const buffers = weightData === undefined ? [] : Array.isArray(weightData) ? weightData : [weightData];
  const shards = cut(buffers, shardBytes);
  const names = shards.map((_, at) => `group1-shard${at + 1}of${shards.length}.bin`);
  const json: io.ModelJSON = {
    ...rest,
    modelTopology: modelTopology!,
    weightsManifest: weightSpecs === undefined ? [] : [{ paths: names, weights: weightSpecs }],
  };
  return [
    { name: 'model.json', bytes: new TextEncoder().encode(JSON.stringify(json)) },
    ...shards.map((bytes, at) => ({ name: names[at]!, bytes })),
  ];
}

/** Pieces of a size of buffers that follow each other. A piece that lies in two buffers is copied. */
function cut(buffers: readonly ArrayBuffer[], size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let pending: Uint8Array | undefined;
  let filled = 0;
  for (const buffer of buffers) {
    let rest = new Uint8Array(buffer);
    if (pending) {
      const part = rest.subarray(0, size - filled);
      pending.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
      if (filled < size) continue;
      pieces.push(pending);
      pending = undefined;
    }
    while (rest.length >= size) {
      pieces.push(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    if (rest.length === 0) continue;
    pending = new Uint8Array(size);
    pending.set(rest);
    filled = rest.length;
  }
  if (pending) pieces.push(pending.subarray(0, filled));
  return pieces;
}
