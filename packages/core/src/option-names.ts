// Refuses options that an op does not have, and choices that there are not: a misspelt one would be passed over in silence,
// and the result be another.
import { checkNames, checkValue, flag, oneOf, type Rule } from '@rebatch/stats/~internal';
import { InvalidInputError, subject } from './errors.ts';

/** Options that choose one of a few things: a value that is none of them would be taken for one of them, too. */
const CHOICES: Readonly<Record<string, Rule>> = {
  fixedAffine: flag,
  pooled: flag,
  singleValue: oneOf('throw', 'normalize'),
};

/** Every name of an op's options. */
type NamesOf<Options> = { readonly [Name in keyof Required<Options>]: true };

/**
 * The check of one op's options. It is asked at every call, so it costs nothing to speak of where all is well.
 *
 * @throws (the check) {InvalidInputError} naming the unknown option and the nearest that there is, or the wrong choice.
 */
export function optionNames<Options extends { readonly name?: string }>(
  op: string,
  names: NamesOf<Options>,
): (options: Options) => void {
  const known = new Set(Object.keys(names));
  return (options) => {
    for (const name in options) {
      if (!known.has(name)) checkNames(subject(op, options.name), options, [...known], InvalidInputError);
      const rule = CHOICES[name];
      const value = (options as Readonly<Record<string, unknown>>)[name];
      if (rule === undefined || value === undefined) continue;
      checkValue(subject(op, options.name), name, value, rule, InvalidInputError);
    }
    // What has no members to look at, such as null or a number.
    if (typeof options !== 'object' || options === null)
      checkNames(op, options, [...known], InvalidInputError);
  };
}

/**
 * What a layer's options can be, whichever op they are for: who has those of one layer hands them to each op, which takes
 * what it needs of them. Moments need no epsilon.
 */
export const UNGROUPED_NAMES = {
  axis: true,
  name: true,
  gamma: true,
  beta: true,
  epsilon: true,
  fixedAffine: true,
  singleValue: true,
} as const;
/** The same, and the groups of a batch. */
export const NORMALIZE_NAMES = { ...UNGROUPED_NAMES, groups: true } as const;
