// JSON from files that nobody vouches for: bounded in size and depth, and without the keys that change prototypes.
import { shown } from '@rebatch/stats/~internal';
import { MalformedFileError } from './errors.ts';
import { type Limits, within } from './limits.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Deeper than any model nests, and far from what would exhaust the stack of a recursive reader. */
const MAX_DEPTH = 128;
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The value of a JSON text. Throws `MalformedFileError` or `FileLimitError`; `what` names it in messages. */
export function parseJson(text: string | Uint8Array, what: string, limits: Limits): Json {
  within(limits, 'maxJsonBytes', text.length, `The length of ${what}`);
  let value: Json;
  try {
    value = JSON.parse(typeof text === 'string' ? text : utf8.decode(text)) as Json;
  } catch (error) {
    throw new MalformedFileError(`${what} is not JSON: ${(error as Error).message}.`, { cause: error });
  }
  checkJson(value, what);
  return value;
}

/** As `parseJson`, for the text of an object. */
export function parseJsonObject(text: string | Uint8Array, what: string, limits: Limits): JsonObject {
  const value = parseJson(text, what, limits);
  if (!isObject(value))
    throw new MalformedFileError(`${what} should be a JSON object, but is ${kind(value)}.`);
  return value;
}

/** Throws `MalformedFileError` for what is nested too deep, has a key that changes prototypes, or contains itself. */
export function checkJson(value: unknown, what: string): void {
  // Level by level instead of recursively: depth is what is being judged. A value in itself never ends, so depth finds it.
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH)
      throw new MalformedFileError(`${what} is nested more than ${MAX_DEPTH} levels deep.`);
    const next = new Set<unknown>();
    for (const item of level) {
      if (
        typeof item !== 'object' ||
        item === null ||
        ArrayBuffer.isView(item) ||
        item instanceof ArrayBuffer
      )
        continue;
      if (!Array.isArray(item)) {
        const bad = Object.keys(item).find((key) => FORBIDDEN.has(key));
        if (bad !== undefined)
          throw new MalformedFileError(`${what} has the key '${bad}', which no model has.`);
      }
      for (const child of Object.values(item))
        if (typeof child === 'object' && child !== null) next.add(child);
    }
    level = [...next];
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a value is, in the words of a message. */
export function kind(value: unknown): string {
  if (value === null || value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return ['string', 'number', 'boolean'].includes(typeof value)
    ? `${typeof value} ${shown(value)}`
    : shown(value);
}

export function objectAt(parent: JsonObject, key: string, what: string): JsonObject {
  const value = parent[key];
  if (isObject(value)) return value;
  throw new MalformedFileError(`'${key}' of ${what} should be an object, but is ${kind(value)}.`);
}

export function listAt(parent: JsonObject, key: string, what: string): Json[] {
  const value = parent[key];
  if (Array.isArray(value)) return value;
  throw new MalformedFileError(`'${key}' of ${what} should be a list, but is ${kind(value)}.`);
}

export function stringAt(parent: JsonObject, key: string, what: string): string {
  const value = parent[key];
  if (typeof value === 'string') return value;
  throw new MalformedFileError(`'${key}' of ${what} should be a string, but is ${kind(value)}.`);
}
