// What somebody gives as the new weights of a file: numbers by name, or a whole model.

import type { io } from '@tensorflow/tfjs-core';
import { checkWeights } from '../check/check-weights.ts';
import { WeightsError } from '../errors.ts';
import { elementsOf } from '../h5/datatype.ts';
import type { H5File } from '../h5/h5-file.ts';
import { kind } from '../json.ts';
import type { Limits } from '../limits.ts';
import { type KerasWeight, specOf } from './keras-model.ts';
import { valuesOf } from './weight-values.ts';

/**
 * New weights of a file: values in row-major order by the names that `openModel` gives, for those that are to change; or
 * artifacts with all of them, of which those change whose values are not the file's.
 */
export type NewWeights = Readonly<Record<string, ArrayLike<number>>> | io.ModelArtifacts;

/** The weights of a file that are to be written, with their values. Throws `WeightsError` for what does not fit the file. */
export async function valuesToWrite(
  file: H5File,
  weights: readonly KerasWeight[],
  given: NewWeights,
  limits: Limits,
): Promise<Map<KerasWeight, ArrayLike<number>>> {
  if (typeof given !== 'object' || given === null) {
    throw new WeightsError(`The new weights should be values by name, or artifacts, but are ${kind(given)}.`);
  }
  if (isArtifacts(given)) return changedIn(file, weights, given, limits);
  const known = new Map(weights.map((weight) => [weight.name, weight]));
  const values = new Map<KerasWeight, ArrayLike<number>>();
  for (const [name, list] of Object.entries(given)) {
    const weight = known.get(name);
    if (!weight) throw noSuchWeight(file.name, name, weights);
    checkValues(weight, list);
    values.set(weight, list);
  }
  return values;
}

function isArtifacts(given: NewWeights): given is io.ModelArtifacts {
  return Array.isArray(given.weightSpecs) || 'modelTopology' in given;
}

async function changedIn(
  file: H5File,
  weights: readonly KerasWeight[],
  { weightSpecs = [], weightData = new ArrayBuffer(0) }: io.ModelArtifacts,
  limits: Limits,
): Promise<Map<KerasWeight, ArrayLike<number>>> {
  checkWeights(weightSpecs, weightData, limits);
  const given = valuesOf(weightSpecs, joined(weightData));
  const known = new Set(weights.map(({ name }) => name));
  for (const name of given.keys()) if (!known.has(name)) throw noSuchWeight(file.name, name, weights);
  const changed = new Map<KerasWeight, ArrayLike<number>>();
  for (const weight of weights) {
    const { name, dataset, stored } = weight;
    const fresh = given.get(name);
    if (!fresh) {
      throw new WeightsError(
        `The artifacts have no weight '${name}', which ${file.name} has: they are of another model.`,
      );
    }
    if (String(fresh.shape) !== String(dataset.shape)) {
      throw new WeightsError(
        `The weight '${name}' has the shape [${dataset.shape}] in ${file.name}, but [${fresh.shape}] in the artifacts.`,
      );
    }
    const old = valuesOf([specOf(weight)], stored.convert(await file.values(dataset))).get(name)!;
    const values = fresh.values();
    if (!same(values, old.values())) changed.set(weight, values);
  }
  return changed;
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return a.length === b.length;
}

function noSuchWeight(file: string, name: string, weights: readonly KerasWeight[]): WeightsError {
  const some = weights.slice(0, 5).map((weight) => `'${weight.name}'`);
  const more = weights.length > some.length ? `, and ${weights.length - some.length} more` : '';
  return new WeightsError(
    `${file} has no weight '${name}', only ${some.join(', ') || 'none'}${more}. Name them as openModel does.`,
  );
}

function checkValues({ name, dataset: { shape } }: KerasWeight, values: unknown): void {
  if (!Array.isArray(values) && (!ArrayBuffer.isView(values) || values instanceof DataView)) {
    throw new WeightsError(
      `The new values of '${name}' should be an array of numbers or a typed array, but are ${kind(values)}.`,
    );
  }
  const numbers = values as unknown as ArrayLike<unknown>;
  const needed = elementsOf(shape);
  if (numbers.length !== needed) {
    throw new WeightsError(
      `The weight '${name}' has the shape [${shape}], which is ${needed} values, but ${numbers.length} are given.`,
    );
  }
  for (let i = 0; i < numbers.length; i++) {
    if (typeof numbers[i] === 'number') continue;
    throw new WeightsError(`Value ${i} of '${name}' should be a number, but is ${kind(numbers[i])}.`);
  }
}

function joined(data: io.WeightData): Uint8Array {
  const parts = Array.isArray(data) ? data : [data];
  if (parts.length === 1) return new Uint8Array(parts[0]!);
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return all;
}
