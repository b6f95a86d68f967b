// Where a model that comes out goes: beside the one that came in, and never over it unless that was asked for.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { writeModel } from '@rebatch/files/node';
import { checkTarget } from '@rebatch/files/node/~internal';
import type { OutputFlags } from '../commands/options.ts';
import { OutputError, UsageError } from '../errors.ts';
import type { LoadedModel } from '../model/load-model.ts';
import { besideModel, isAddress, isFolder, SIDECAR, sidecarOf } from '../model/paths.ts';
import { sidecarText } from '../preprocessing/sidecar.ts';
import { kerasFileOf, planKerasFile } from './keras-output.ts';
import { checkPlaces, filesOfModel, type PlaceFlags, placeOf, type ReadPlace, writtenBy } from './places.ts';
import type { ModelChange, ModelOutput } from './planned.ts';
import { textOf } from './write-atomically.ts';

/**
 * Says where, and finds out now what would be wrong with it later, also for what is written besides.
 *
 * @param read what else than the model is read, and may not give way.
 * @throws {OutputError} or {FileWriteError} if something is there that may not give way, or nothing can be written.
 *   {UsageError} for what cannot be done in place or become a Keras file, and for places that collide.
 */
export async function planOutput(
  model: Pick<LoadedModel, 'path' | 'opened'>,
  change: ModelChange,
  flags: OutputFlags & PlaceFlags,
  signal: AbortSignal,
  read: readonly ReadPlace[] = [],
): Promise<ModelOutput> {
  if (flags.out !== undefined && flags.inPlace)
    throw new UsageError('--out and --in-place go in two places: say one.');
  const file = kerasFileOf(model, flags, change.sameLayers);
  if (file !== undefined) return planKerasFile(model, file, flags, signal, read);
  return planFolder(model, change.suffix, flags, signal, read);
}

async function planFolder(
  { path, opened }: Pick<LoadedModel, 'path' | 'opened'>,
  suffix: string,
  { out, inPlace = false, overwrite = false, dryRun = false, ...besides }: OutputFlags & PlaceFlags,
  signal: AbortSignal,
  read: readonly ReadPlace[],
): Promise<ModelOutput> {
  const folder = inPlace
    ? ownFolder(path, opened.source.kind, opened.source.name)
    : (out ?? besideModel(path, suffix));
  const replace = overwrite || inPlace;
  if (!inPlace && isOwn(folder, path)) {
    throw new OutputError(`${folder} is the model itself. Name another folder, or say --in-place.`);
  }
  if (!replace && existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0)) {
    throw new OutputError(`${folder} is there already. Name another one with --out, or say --overwrite.`);
  }
  await checkPlaces(writtenBy(besides), [...filesOfModel({ path, opened }), ...read], folder);
  const sidecar = `model${SIDECAR}`;
  await checkTarget(folder, replace, [sidecar]);
  return {
    where: `in ${folder}`,
    folder,
    prepare: async (artifacts) => ({
      notes: [],
      opened: async () => artifacts,
      async write(preprocessing) {
        if (dryRun) return [];
        // What is known of the inputs goes where the model goes.
        const text =
          (preprocessing && sidecarText(preprocessing)) ??
          (await textOf(sidecarOf(path))) ??
          (await textOf(join(folder, sidecar)));
        const beside = text === undefined ? [] : [{ name: sidecar, bytes: new TextEncoder().encode(text) }];
        await writeModel(artifacts, folder, { overwrite: replace, beside, signal });
        return [join(folder, 'model.json')];
      },
    }),
  };
}

function ownFolder(path: string, kind: string, name: string): string {
  if (isAddress(path))
    throw new UsageError('--in-place: the model is at an address, where nothing can be written.');
  if (kind !== 'model.json' || name !== 'model.json') {
    throw new UsageError(
      `--in-place: what comes out is a folder with model.json, which cannot take the place of ${basename(path)}. Leave it ` +
        'out, and the folder lies beside the model.',
    );
  }
  return statSync(path).isDirectory() ? path : dirname(path);
}

function isOwn(folder: string, path: string): boolean {
  if (isAddress(path)) return false;
  const own = placeOf(path);
  return placeOf(folder) === (isFolder(own) ? own : dirname(own));
}
