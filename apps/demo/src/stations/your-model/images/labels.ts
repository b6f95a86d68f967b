// Labels from the names of files: their folder, else what stands before the first underscore.

export interface Labels {
  /** The class of each image; undefined without labels. */
  readonly classes: Int32Array | undefined;
  readonly names: readonly { readonly name: string; readonly class: number; readonly count: number }[];
  /** Why there are none, or what is odd about them. */
  readonly remark?: string;
}

/**
 * Reads labels from paths: all `label/name.png`, or all `label_name.png`. Whole numbers are classes as they are; other
 * labels are numbered in alphabetical order, as Keras numbers folders.
 *
 * @param classes that the model tells apart; null if it is no classifier.
 */
export function labelsOf(paths: readonly string[], classes: number | null): Labels {
  const none = { classes: undefined, names: [] };
  const given = labelNames(paths);
  if (given === undefined) return none;
  if (classes === null) {
    return { ...none, remark: 'The images have labels, but the model’s output is not one number per class.' };
  }
  const names = [...new Set(given)].sort();
  const numbers = names.every((name) => /^\d+$/.test(name));
  const classOf = new Map(names.map((name, i) => [name, numbers ? Number(name) : i]));
  const beyond = names.filter((name) => (classOf.get(name) as number) >= classes);
  if (beyond.length > 0) {
    return {
      ...none,
      remark: numbers
        ? `Labels are left out: ‘${beyond[0]}’ is no class of this model, which has the classes 0 to ${classes - 1}.`
        : `Labels are left out: there are ${names.length} of them, but the model has ${classes} classes.`,
    };
  }
  const result = {
    classes: Int32Array.from(given, (name) => classOf.get(name) as number),
    names: names.map((name) => ({
      name,
      class: classOf.get(name) as number,
      count: given.filter((other) => other === name).length,
    })),
  };
  if (numbers || names.length === classes) return result;
  return {
    ...result,
    remark:
      `There are ${names.length} labels for ${classes} classes, numbered in alphabetical order. If that is not the ` +
      'order of training, name the files by the numbers of their classes: 7_photo.png.',
  };
}

function labelNames(paths: readonly string[]): string[] | undefined {
  const folders = paths.map((path) => path.split('/').at(-2));
  // One folder for all of them is where they lie, not what they show.
  if (folders.every((folder) => folder !== undefined) && new Set(folders).size > 1)
    return folders as string[];
  const prefixes = paths.map((path) => /^([^_]+)_/.exec(path.split('/').at(-1) as string)?.[1]);
  const found = prefixes.every((prefix) => prefix !== undefined) && new Set(prefixes).size > 1;
  return found ? (prefixes as string[]) : undefined;
}
