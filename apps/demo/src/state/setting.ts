// A setting of a station as its page offers it: what may be chosen, and how the address writes it.

export type Value = string | number | boolean;

/** What may be chosen, and what is chosen where the address says nothing. */
export interface Setting<T extends Value> {
  readonly values: readonly T[];
  readonly initial: T;
}

export type Settings = Readonly<Record<string, Setting<Value>>>;

export type ValuesOf<S extends Settings> = {
  -readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never;
};

/** One of these values. */
export function oneOf<T extends Value>(values: readonly T[], initial: NoInfer<T>): Setting<T> {
  return { values, initial };
}

/** On or off. */
export const onOff = (initial: boolean): Setting<boolean> => ({ values: [true, false], initial });

/** What an address says, and what is wrong with it, in sentences for the visitor. */
export interface Parsed<S extends Settings> {
  readonly values: ValuesOf<S>;
  readonly problems: readonly string[];
}

/**
 * Reads settings from the part of an address after its `?`. What is not there, or may not be chosen, is as it is at
 * first; the latter is told.
 */
export function readSettings<S extends Settings>(settings: S, query: string): Parsed<S> {
  const given = new URLSearchParams(query);
  const problems: string[] = [];
  const values: Record<string, Value> = {};
  for (const [name, { values: all, initial }] of Object.entries(settings)) {
    const text = given.get(name);
    const found = all.find((value) => textOf(value) === text);
    values[name] = found ?? initial;
    if (text !== null && found === undefined) problems.push(refusal(name, text, all, initial));
  }
  return { values: values as ValuesOf<S>, problems };
}

/** The part of an address after its `?` with these settings. Those that are as at first are not written. */
export function writeSettings<S extends Settings>(settings: S, values: ValuesOf<S>, query: string): string {
  const written = new URLSearchParams(query);
  for (const [name, { initial }] of Object.entries(settings)) {
    const value = (values as Record<string, Value>)[name] as Value;
    if (value === initial) written.delete(name);
    else written.set(name, textOf(value));
  }
  return written.toString();
}

/** What to tell of names in an address that are not among those of the settings. */
export function unknownSettings(query: string, names: ReadonlySet<string>): string[] {
  return [...new Set(new URLSearchParams(query).keys())]
    .filter((name) => !names.has(name))
    .map((name) => `“${short(name)}” in the address is not a setting of this chapter, and changes nothing.`);
}

const textOf = (value: Value): string =>
  typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);

function refusal(name: string, text: string, all: readonly Value[], initial: Value): string {
  const choices = `${all.slice(0, -1).map(textOf).join(', ')} or ${textOf(all.at(-1) as Value)}`;
  return `The address asks for ${name} “${short(text)}”, which does not exist, so ${textOf(initial)} is used. Choose ${choices}.`;
}

const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
