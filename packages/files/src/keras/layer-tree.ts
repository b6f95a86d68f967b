import { UnsupportedFileError } from '../errors.ts';
import type { JsonObject } from '../json.ts';

/** A layer after its configuration was rewritten, with what it takes to find its weights. */
export interface LayerTree {
  /** As tf.layers reads it: `{class_name, config}`, in a functional model with `name` and `inbound_nodes`. */
  readonly json: JsonObject;
  /** Its class in Keras, by which Keras 3 names groups. */
  readonly kerasClass: string;
  readonly name: string;
  readonly trainable: boolean;
  /** Its own weights, those of layers in it aside. */
  readonly trained: readonly string[];
  readonly followed: readonly string[];
  /** Where Keras 3 keeps its own weights, below its own group; `''` for there. */
  readonly group: string;
  readonly children: readonly Child[];
}

export interface Child {
  readonly layer: LayerTree;
  /** Its group in Keras 3, below that of its parent. */
  readonly group: string;
  /** What tf.layers puts before the names of its weights, given what it puts before those of its parent. */
  readonly scope: (parent: string) => string;
}

/** One weight of a model: what tf.layers calls it, and where it is in the file. */
export interface WeightPlace {
  /** For tf.layers, such as `dense/kernel`. */
  readonly name: string;
  /** The last part of the name. */
  readonly weight: string;
  /** The group of Keras 3 that has it, and under which number. */
  readonly group: string;
  readonly index: number;
}

/** The weights of a layer and all in it, in the order of Keras's legacy files: trained ones first. */
export function placesOf(
  layer: LayerTree,
  scope: string,
  group: string,
): { trained: WeightPlace[]; followed: WeightPlace[] } {
  const own = join(group, layer.group, 'vars');
  const place = (weight: string, index: number): WeightPlace => ({
    name: `${scope}/${weight}`,
    weight,
    group: own,
    index,
  });
  const trained = layer.trained.map(place);
  const followed = layer.followed.map((weight, at) => place(weight, layer.trained.length + at));
  const below = layer.children.map((child) =>
    placesOf(child.layer, child.scope(scope), join(group, child.group)),
  );
  if (!layer.trainable) {
    const all = below.flatMap((places) => [...places.trained, ...places.followed]);
    return { trained: [], followed: [...trained, ...followed, ...all] };
  }
  return {
    trained: [...trained, ...below.flatMap((places) => places.trained)],
    followed: [...followed, ...below.flatMap((places) => places.followed)],
  };
}

/** Throws when tf.layers could not tell two weights apart. */
export function checkNames(places: readonly WeightPlace[], file: string): void {
  const seen = new Set<string>();
  for (const { name } of places) {
    if (seen.has(name)) {
      throw new UnsupportedFileError(
        `${file} has two weights '${name}', since layers in nested models share a name: rename one of the layers and save again.`,
      );
    }
    seen.add(name);
  }
}

/** The groups that Keras 3 makes for a list of layers: the class in snake case, numbered from the second on. */
export function groupNames(classes: readonly string[]): string[] {
  const used = new Map<string, number>();
  return classes.map((name) => {
    const snake = toSnakeCase(name);
    const count = used.get(snake) ?? 0;
    used.set(snake, count + 1);
    return count === 0 ? snake : `${snake}_${count}`;
  });
}

/** As Keras does it: `BatchNormalization` to `batch_normalization`, but `Conv2D` to `conv2d` and `ReLU` to `re_lu`. */
function toSnakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

export function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('/');
}
