// Where the weights of each layer are, in the two layouts that Keras has written. Both go by order, as Keras does when it
// loads them: names of weights have changed with every version.

import { MalformedFileError } from '../errors.ts';
import type { H5File } from '../h5/h5-file.ts';
import { join, type LayerTree, placesOf, type WeightPlace } from './layer-tree.ts';

/** A weight, and the dataset that holds its values. */
export interface Found {
  readonly place: WeightPlace;
  readonly path: string;
}

/**
 * The layout of Keras 3, in `.keras` and `.weights.h5`: `layers/<class>/vars/<number>`.
 * Throws `MalformedFileError` when a layer has other weights than its class does.
 */
export async function findByGroup(file: H5File, model: LayerTree): Promise<Found[]> {
  const { trained, followed } = placesOf(model, '', '');
  const found: Found[] = [];
  const counts = new Map<string, number>();
  for (const place of [...trained, ...followed]) counts.set(place.group, (counts.get(place.group) ?? 0) + 1);
  for (const place of [...trained, ...followed]) {
    const group = await groupOf(file, place.group);
    const stored = (await file.names(group)).length;
    if (stored !== counts.get(place.group)) {
      throw new MalformedFileError(
        `${file.name} has ${stored} weights in '${place.group}' for '${place.name}', where the layer has ${counts.get(place.group)}.`,
      );
    }
    found.push({ place, path: `${group}/${place.index}` });
  }
  return found;
}

/** Keras 2.12 called the list of layers by the name of an attribute. */
async function groupOf(file: H5File, group: string): Promise<string> {
  if (await file.has(group)) return group;
  const older = group.replaceAll(/(^|\/)layers(?=\/)/g, '$1_layer_checkpoint_dependencies');
  return (await file.has(older)) ? older : group;
}

/** What a weight is called where its name says what it is. */
const TELLING: ReadonlySet<string> = new Set([
  ...['gamma', 'beta', 'moving_mean', 'moving_variance', 'bias', 'alpha', 'embeddings', 'recurrent_kernel'],
]);

/**
 * The layout of the legacy `.h5`, below `root`: a group for each layer, with its weights in the attribute
 * `weight_names`. Throws `MalformedFileError` when a layer has other weights than its class does.
 */
export async function findByName(file: H5File, root: string, model: LayerTree): Promise<Found[]> {
  const found: Found[] = [];
  for (const { layer, scope } of model.children) {
    const { trained, followed } = placesOf(layer, scope(''), '');
    const places = [...trained, ...followed];
    if (places.length === 0) continue;
    const group = join(root, layer.name);
    const names = (await weightNames(file, group)).filter(
      (name) => !/seed|generator|state/i.test(lastOf(name)),
    );
    if (names.length !== places.length) {
      throw new MalformedFileError(
        `${file.name} has ${names.length} weights for the layer '${layer.name}', which has ${places.length}: ${places.map(({ weight }) => weight).join(', ')}.`,
      );
    }
    for (const [at, place] of places.entries()) {
      const stored = lastOf(names[at]!);
      if (stored !== place.weight && TELLING.has(stored) && TELLING.has(place.weight)) {
        throw new MalformedFileError(
          `${file.name} has '${stored}' where the layer '${layer.name}' has '${place.weight}': its weights are in another order.`,
        );
      }
      found.push({ place, path: join(group, names[at]!) });
    }
  }
  return found;
}

/** `dense/kernel:0` to `kernel`. */
function lastOf(name: string): string {
  return name.split('/').at(-1)!.replace(/:\d+$/, '');
}

/** Lists that are too long for one attribute are written as several, numbered. */
async function weightNames(file: H5File, group: string): Promise<string[]> {
  const whole = await file.texts(group, 'weight_names');
  if (whole) return whole;
  const parts: string[] = [];
  for (let at = 0; ; at++) {
    const part = await file.texts(group, `weight_names${at}`);
    if (!part) break;
    parts.push(...part);
  }
  if (parts.length > 0) return parts;
  throw new MalformedFileError(`${file.name} has no weights for the layer '${group.split('/').at(-1)}'.`);
}
