// What a command reads and where it writes, held against each other before anything is computed.
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { checkParent } from '@rebatch/files/node/~internal';
import type { DataSource } from '../data/description.ts';
import { isPictureName } from '../data/folder/list-pictures.ts';
import { OutputError, UsageError } from '../errors.ts';
import type { LoadedModel } from '../model/load-model.ts';
import { isFolder, localPath, SIDECAR, sidecarOf } from '../model/paths.ts';

/** Files that a command reads or writes beside the model and the data, by the options that name them. */
export interface PlaceFlags {
  readonly reference?: string;
  readonly report?: string;
  readonly statistics?: string;
  readonly states?: string;
  readonly checkpoint?: string;
}

/** Something that a command reads. */
export interface ReadPlace {
  readonly path: string;
  /** What it is, for messages. */
  readonly what: string;
  /** For a folder of pictures, of which no picture gives way. */
  readonly pictures?: true;
  /** Whether it belongs to the model, and may give way to one that is written in its place. */
  readonly ofModel?: true;
}

/** A file that a command writes. */
export interface WrittenPlace {
  readonly path: string;
  /** Which option names it. */
  readonly option: string;
}

/** What a model is read from. */
export function filesOfModel({ path, opened }: Pick<LoadedModel, 'path' | 'opened'>): ReadPlace[] {
  const model = localPath(path);
  if (model === undefined) return [];
  const file = isFolder(model) ? join(model, 'model.json') : model;
  const weights = opened.source.kind === 'model.json' ? weightFilesOf(file) : [];
  const all = [
    { path: file, what: 'the model' },
    ...weights.map((name) => ({ path: join(dirname(file), name), what: 'a weight file of the model' })),
    { path: sidecarOf(model)!, what: 'the file that says how inputs of the model are prepared' },
  ];
  return all.map((place) => ({ ...place, ofModel: true }));
}

/** As the manifest of a `model.json` names them, which has been opened. */
function weightFilesOf(file: string): string[] {
  const { weightsManifest = [] } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly weightsManifest?: readonly { readonly paths: readonly string[] }[];
  };
  return weightsManifest.flatMap(({ paths }) => paths);
}

/** What data is read from. */
export function filesOfData(source: DataSource): ReadPlace[] {
  if (source.kind === 'folder') return [{ path: source.path, what: 'a picture of the data', pictures: true }];
  const labels = source.kind === 'idx' && source.labels !== null ? source.labels : undefined;
  return [
    { path: source.path, what: 'the data' },
    ...(labels === undefined ? [] : [{ path: labels, what: 'the labels of the data' }]),
  ];
}

/** What options name to be read. */
export const readBy = ({ reference }: PlaceFlags): ReadPlace[] =>
  reference === undefined ? [] : [{ path: reference, what: 'the reference' }];

/** What options name to be written. */
export function writtenBy(flags: PlaceFlags): WrittenPlace[] {
  return (['report', 'statistics', 'states', 'checkpoint'] as const).flatMap((name) => {
    const path = flags[name];
    return path === undefined ? [] : [{ path, option: `--${name}` }];
  });
}

/**
 * Finds out what would be wrong with writing these files.
 *
 * @param folder where a model will be written, if any.
 * @throws {UsageError} for a file that would take the place of one that is read, or of another one that is written;
 *   {OutputError} or {FileWriteError} where no file can be written.
 */
export async function checkPlaces(
  written: readonly WrittenPlace[],
  read: readonly ReadPlace[],
  folder?: string,
): Promise<void> {
  for (const [i, one] of written.entries()) {
    const taken = read.find((other) => takesPlaceOf(one.path, other));
    if (taken) {
      throw new UsageError(
        `${one.option}: ${one.path} is ${taken.what}, and would be gone. Name another file.`,
      );
    }
    for (const other of written.slice(i + 1)) {
      if (!overlap(one.path, other.path)) continue;
      throw new UsageError(
        `${one.option} and ${other.option}: ${one.path} and ${other.path} cannot both be written. Name two files.`,
      );
    }
    if (folder !== undefined && spoilsModel(one.path, folder)) {
      throw new UsageError(
        `${one.option}: ${one.path} is where the model itself is written, in ${folder}. Name another file.`,
      );
    }
    await checkFile(one.path);
  }
  const lost = read.find(({ path, ofModel }) => folder !== undefined && !ofModel && isBelow(path, folder));
  if (lost) {
    throw new UsageError(
      `${folder} cannot become the folder of the model: ${lost.path} lies in it, ${lost.what}, and would be gone. Name ` +
        'another folder with --out.',
    );
  }
}

function takesPlaceOf(path: string, { path: read, pictures }: ReadPlace): boolean {
  if (pictures) return isBelow(path, read) && isPictureName(path);
  return placeOf(path) === placeOf(read);
}

/** A model's folder may hold other files that are written with it, but not in the place of its own. */
function spoilsModel(path: string, folder: string): boolean {
  if (!isBelow(path, folder)) return overlap(path, folder);
  const name = basename(path);
  return name === 'model.json' || name === `model${SIDECAR}` || name.endsWith('.bin');
}

const overlap = (a: string, b: string) => isIn(a, b) || isIn(b, a);

/** Whether a path is a folder, or below it. */
export const isIn = (path: string, folder: string): boolean =>
  placeOf(path) === placeOf(folder) || isBelow(path, folder);

function isBelow(path: string, folder: string): boolean {
  const way = relative(placeOf(folder), placeOf(path));
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Where a path leads when all links are followed, as far as it is there. */
export function placeOf(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync.native(whole);
  } catch {
    const above = dirname(whole);
    return above === whole ? whole : join(placeOf(above), basename(whole));
  }
}

async function checkFile(path: string): Promise<void> {
  if (isFolder(path)) throw new OutputError(`${path} was not written, it is a folder. Name a file.`);
  // A new file would take the place of a device or a pipe, for whoever may remove it.
  if (existsSync(path) && !statSync(path).isFile()) {
    throw new OutputError(`${path} was not written, it is a device or a pipe. Name a file.`);
  }
  await checkParent(path);
}
