// Checks the options that a caller gives: known names only, each with a value that its rule allows.
import { nearest } from './nearest.ts';
import { inWords, type Rule } from './rules.ts';
import { shown } from './shown.ts';

/** The error to throw: the caller's own, a subclass of `RebatchError`. */
export type MakeError = new (message: string) => Error;

/** A rule for each option that there is. */
export type OptionRules<Options> = { readonly [Name in keyof Required<Options>]: Rule };

/**
 * Throws unless `options` is an object that has no other options than those with a rule, each as its rule says. Undefined
 * stands for an option that was not given.
 *
 * @param who whose options they are, as the message begins: a function's name, or `Layer 'bn'`.
 */
export function checkOptions<Options>(
  who: string,
  options: Options,
  rules: OptionRules<Options>,
  Failure: MakeError,
): void {
  checkNames(who, options, Object.keys(rules), Failure);
  const values = options as Readonly<Record<string, unknown>>;
  for (const [name, rule] of Object.entries<Rule>(rules)) {
    if (values[name] === undefined && rule.required !== true) continue;
    checkValue(who, `option ${name}`, values[name], rule, Failure);
  }
}

/** Throws unless `options` is an object, and all of its own members are among the known. */
export function checkNames(
  who: string,
  options: unknown,
  known: readonly string[],
  Failure: MakeError,
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new Failure(
      `${who}: expected options to be an object such as {${known[0]}: ...}, got ${shown(options)}.`,
    );
  }
  const name = Object.keys(options).find((one) => !known.includes(one));
  if (name === undefined) return;
  const meant = nearest(name, known);
  throw new Failure(
    `${who}: expected only options that there are, got one of the name ${shown(name)}.` +
      `${meant === undefined ? '' : ` Did you mean ${meant}?`} There are ${known.join(', ')}.`,
  );
}

/**
 * Throws unless a value is as its rule says; undefined has to be allowed by it, too.
 *
 * @param what the value's name, as in "expected `what` to be an integer".
 */
export function checkValue(who: string, what: string, value: unknown, rule: Rule, Failure: MakeError): void {
  if (rule.allows(value)) return;
  const advice = rule.advice === undefined ? '' : ` ${rule.advice}`;
  throw new Failure(`${who}: expected ${what} to be ${inWords(rule)}, got ${shown(value)}.${advice}`);
}
