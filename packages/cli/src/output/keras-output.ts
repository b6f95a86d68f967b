// A Keras file that comes out: the one that came in, byte for byte, with other weights.
import { lstatSync, type Stats } from 'node:fs';
import { basename } from 'node:path';
import { WeightsError } from '@rebatch/files';
import { openModel } from '@rebatch/files/node';
import { type RoundedWeight, replaceAndTell } from '@rebatch/files/node/~internal';
import type * as tf from '@tensorflow/tfjs-core';
import type { OutputFlags } from '../commands/options.ts';
import { ModelUseError, OutputError, UsageError } from '../errors.ts';
import type { LoadedModel } from '../model/load-model.ts';
import { isAddress, localPath, sidecarOf } from '../model/paths.ts';
import { sidecarText } from '../preprocessing/sidecar.ts';
import { checkPlaces, filesOfModel, type PlaceFlags, placeOf, type ReadPlace, writtenBy } from './places.ts';
import type { ModelOutput } from './planned.ts';
import { textOf, writeAtomically, writeBesides } from './write-atomically.ts';

const ENDINGS = { 'keras-v3': /\.keras$/i, 'keras-h5': /\.(h5|hdf5)$/i } as const;
const IS_KERAS = /\.(keras|h5|hdf5)$/i;

type Model = Pick<LoadedModel, 'path' | 'opened'>;

/**
 * The Keras file that is asked for; undefined where a folder is.
 *
 * @param sameLayers whether the result has the model's own layers, with other weights alone.
 * @throws {UsageError} where the model cannot become that file.
 */
export function kerasFileOf(
  { path, opened }: Model,
  { out, inPlace = false }: OutputFlags,
  sameLayers: boolean,
): string | undefined {
  const { kind } = opened.source;
  if (inPlace) return kind !== 'model.json' && sameLayers && !isAddress(path) ? path : undefined;
  if (out === undefined || !IS_KERAS.test(out)) return undefined;
  const refuse = (why: string, advice = 'Name a folder.'): never => {
    throw new UsageError(`--out: ${out} cannot be written, ${why}. ${advice}`);
  };
  if (kind === 'model.json') {
    return refuse(`only a Keras file that came in can become one, and ${path} is a model of TensorFlow.js`);
  }
  if (!sameLayers) {
    return refuse(`what comes out has other layers than ${path}, and is a folder with model.json`);
  }
  if (ENDINGS[kind].test(out)) return out;
  const ending = kind === 'keras-v3' ? '.keras' : '.h5';
  return refuse(
    `${path} is of the kind ${ending} and stays of it`,
    `Name a file that ends in ${ending}, or a folder.`,
  );
}

/**
 * Finds out now what would be wrong with that file later.
 *
 * @throws {OutputError} if something is there that may not give way; {FileWriteError} or {OutputError} if nothing can be written
 *   there; {UsageError} for places that collide.
 */
export async function planKerasFile(
  model: Model,
  file: string,
  { inPlace = false, overwrite = false, dryRun = false, ...besides }: OutputFlags & PlaceFlags,
  signal: AbortSignal,
  read: readonly ReadPlace[],
): Promise<ModelOutput> {
  const { path } = model;
  const local = localPath(path);
  if (!inPlace && local !== undefined && placeOf(file) === placeOf(local)) {
    throw new OutputError(`${file} is the model itself. Name another file, or say --in-place.`);
  }
  const there = checkThere(file, overwrite || inPlace);
  const sidecar = sidecarOf(file)!;
  const ownSidecar = sidecarOf(path);
  const isOwnSidecar = ownSidecar !== undefined && placeOf(sidecar) === placeOf(ownSidecar);
  if (!isOwnSidecar) checkThere(sidecar, overwrite || inPlace);
  const others = writtenBy(besides);
  await checkPlaces(others, [...filesOfModel(model), ...read]);
  const option = inPlace ? '--in-place' : '--out';
  await checkPlaces(
    [...others, { path: file, option }, { path: sidecar, option: `the file that goes with ${option}` }],
    read.filter(({ ofModel }) => !ofModel),
  );
  return {
    where: file,
    folder: undefined,
    async prepare(artifacts) {
      const { bytes, rounded } = await replaced(path, artifacts, signal);
      return {
        notes: notesOn(file, rounded),
        opened: async () => (await openModel([{ name: basename(file), bytes }], { signal })).artifacts,
        async write(preprocessing) {
          if (dryRun) return [];
          // What is known of the inputs goes where the model goes.
          const text = (preprocessing && sidecarText(preprocessing)) ?? (await textOf(ownSidecar));
          const fresh = text !== undefined && text !== (await textOf(sidecar));
          const beside = fresh ? [{ path: sidecar, content: text }] : [];
          signal.throwIfAborted();
          await writeBesides(beside, undefined, () => writeAtomically(file, bytes, there?.mode));
          return [file, ...beside.map((one) => one.path)];
        },
      };
    },
  };
}

/** Digits of decimals that types of few bits keep. */
const DIGITS: Readonly<Record<string, string>> = { float16: 'three', bfloat16: 'two' };

/** How to keep what these do not. */
const IN_A_FOLDER = 'In a folder, which --out may name as well, they are float32.';

/** @throws {ModelUseError} for new values that are too large for what the file stores them in. */
async function replaced(path: string, artifacts: tf.io.ModelArtifacts, signal: AbortSignal) {
  try {
    return await replaceAndTell(path, artifacts, { signal });
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    throw new ModelUseError(`${path}: ${error.message} ${IN_A_FOLDER}`, { cause: error });
  }
}

/** A line for each type that new values were rounded to. */
function notesOn(file: string, rounded: readonly RoundedWeight[]): string[] {
  return [...new Set(rounded.map(({ type }) => type))].map((type) => {
    const names = rounded.filter((one) => one.type === type).map(({ name }) => `'${name}'`);
    const more = names.length > 4 ? ` and ${names.length - 3} others` : '';
    const shown = names.slice(0, more === '' ? 4 : 3).join(', ');
    const digits = DIGITS[type] === undefined ? '' : `, about ${DIGITS[type]} digits`;
    return `Note: ${file} stores ${shown}${more} as ${type}, so their new values were rounded to it${digits}. ${IN_A_FOLDER}`;
  });
}

/** What is there, which has to be a file that may give way. */
function checkThere(file: string, replace: boolean): Stats | undefined {
  const there = statsOf(file);
  if (there === undefined) return undefined;
  if (there.isSymbolicLink()) throw new OutputError(`${file} is a link: name the file itself.`);
  if (!there.isFile()) throw new OutputError(`${file} is not a file. Name another one with --out.`);
  if (replace) return there;
  throw new OutputError(`${file} is there already. Name another one with --out, or say --overwrite.`);
}

function statsOf(file: string): Stats | undefined {
  try {
    return lstatSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Below a file there is nothing, either; what is in the way is found when the way is checked.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new OutputError(`${file} was not written, ${message}. What was there is as it was.`, {
      cause: error,
    });
  }
}
