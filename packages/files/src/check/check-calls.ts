import { MalformedFileError } from '../errors.ts';
import { isObject, type Json, type JsonObject, kind, listAt } from '../json.ts';
import { unreachable } from './cycles.ts';

/** A layer that was checked: its name, and whether it is a model itself. */
export interface CheckedLayer {
  readonly name: string;
  readonly json: JsonObject;
  readonly isModel: boolean;
}

/**
 * Checks that each call of a layer in a functional model takes outputs of calls that are there and come before it. For a
 * cycle or a layer that is missing, tf.layers would wait for ever.
 */
export function checkCalls(config: JsonObject, layers: readonly CheckedLayer[]): void {
  const nodes: { name: string; references: Json[] }[] = [];
  /** For each layer, the place of its first call in `nodes`, and which numbers its calls have. */
  const calls = new Map<string, { first: number; from: number; count: number; given: boolean }>();
  for (const { name, json, isModel } of layers) {
    if (name === '') throw new MalformedFileError('A layer of a functional model has no name.');
    const list = listAt(json, 'inbound_nodes', `the layer '${name}'`);
    const given = isModel || json.class_name === 'InputLayer';
    calls.set(name, { first: nodes.length, from: isModel ? 1 : 0, count: list.length, given });
    for (const references of list) {
      if (!Array.isArray(references)) {
        throw new MalformedFileError(
          `A call of the layer '${name}' should be a list, but is ${kind(references)}.`,
        );
      }
      nodes.push({ name, references });
    }
  }
  const target = (reference: Json, by: string): number | undefined => {
    if (!isReference(reference)) {
      throw new MalformedFileError(
        `${by} should name a tensor as [layer, call, output], but has ${JSON.stringify(reference)?.slice(0, 80)}.`,
      );
    }
    const [name, call] = reference;
    const found = calls.get(name);
    if (!found) throw new MalformedFileError(`${by} takes '${name}', but there is no such layer.`);
    // Inputs and models have a first call of their own.
    if (found.given && call === 0) return undefined;
    const at = call - found.from;
    if (at < 0 || at >= found.count) {
      throw new MalformedFileError(
        `${by} takes call ${call} of '${name}', which has ${found.count}, counted from ${found.from}.`,
      );
    }
    return found.first + at;
  };
  const needs = nodes.map(({ name, references }) =>
    references.flatMap((reference) => target(reference, `A call of the layer '${name}'`) ?? []),
  );
  const lost = unreachable(needs);
  if (lost.length > 0) {
    const names = [...new Set(lost.map((at) => `'${nodes[at]!.name}'`))].slice(0, 3);
    throw new MalformedFileError(`The layers have a cycle: ${names.join(', ')} wait for each other.`);
  }
  for (const key of ['input_layers', 'output_layers']) {
    const list = listAt(config, key, 'the model');
    if (list.length === 0) throw new MalformedFileError(`The model has no ${key}.`);
    for (const reference of list) target(reference, `'${key}' of the model`);
  }
}

function isReference(value: Json): value is [string, number, number] {
  if (!Array.isArray(value) || value.length < 3 || value.length > 4) return false;
  const counts = [value[1], value[2]].every((at) => Number.isSafeInteger(at) && (at as number) >= 0);
  const settings = value[3];
  return (
    typeof value[0] === 'string' &&
    counts &&
    (settings === undefined || settings === null || isObject(settings))
  );
}
