// A reference as it comes from a file, checked against the model that it should be of.
import type { NormalizedModel } from '@rebatch/models';
import { type Moments, MomentsError, momentsFromJSON } from '@rebatch/stats';
import { shown } from '@rebatch/stats/~internal';
import { ReferenceMomentsError } from '../errors.ts';
import { firstDifference } from '../layer-shapes.ts';
import type { Reference } from './reference.ts';

/** Whether a value was written by `captureReference`, as far as its first word tells. */
export function isReference(value: unknown): value is Reference {
  return (value as Partial<Reference> | null | undefined)?.format === 'rebatch-reference';
}

/**
 * The moments of each of a model's sites on the reference inputs; undefined for one that they did not reach.
 *
 * @throws {ReferenceMomentsError} unless the value is a reference of a model with these sites, with moments that are finite.
 */
export function momentsOfReference(
  caller: string,
  { name, sites }: NormalizedModel,
  reference: unknown,
): (Moments | undefined)[] {
  if (!isReference(reference) || !Array.isArray(reference.sites)) {
    throw new ReferenceMomentsError(
      `${caller}: expected option reference to be what captureReference(model, images) resolved to, got ` +
        `${describe(reference)}.`,
    );
  }
  if (reference.version !== 1) {
    throw new ReferenceMomentsError(
      `${caller}: expected a reference of version 1, got ${shown(reference.version)}. Update @rebatch/domains, or ` +
        'capture the reference again with this version.',
    );
  }
  if (typeof reference.inputs !== 'string' && reference.inputs !== null) {
    throw new ReferenceMomentsError(
      `${caller}: expected inputs of the reference to be the shape of a sample or null, got ${shown(reference.inputs)}.`,
    );
  }
  if (!Number.isSafeInteger(reference.samples) || reference.samples < 1) {
    throw new ReferenceMomentsError(
      `${caller}: expected samples of the reference to be how many inputs were measured, an integer >= 1, got ` +
        `${shown(reference.samples)}. Capture the reference again.`,
    );
  }
  const moments = reference.sites.map((entry, i) => read(caller, entry, i));
  const came = moments.map((own, i) => ({
    name: reference.sites[i]!.name,
    channels: own?.mean.length ?? sites[i]?.channels ?? 0,
  }));
  const difference = firstDifference(sites, came);
  if (difference === undefined) return moments;
  throw new ReferenceMomentsError(
    `${caller}: the reference is of another model (${shown(reference.model)}) than '${name}': ${difference}. Capture one of ` +
      'this model: captureReference(model, images).',
  );
}

function read(caller: string, entry: unknown, at: number): Moments | undefined {
  const { name, moments } = (entry ?? {}) as { readonly name?: unknown; readonly moments?: unknown };
  const refuse = (why: string, cause?: unknown) =>
    new ReferenceMomentsError(`${caller}: site ${at} of the reference: ${why}.`, { cause });
  if (typeof name !== 'string') throw refuse(`expected a name, got ${shown(name)}`);
  if (moments === null) return undefined;
  try {
    return momentsFromJSON(moments as Parameters<typeof momentsFromJSON>[0]);
  } catch (error) {
    if (!(error instanceof MomentsError)) throw error;
    throw refuse(`its moments are not usable (${error.message})`, error);
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return 'a text: JSON.parse it first';
  if (typeof (value as PromiseLike<unknown> | null)?.then === 'function') return 'a promise: await it first';
  return shown(value);
}
