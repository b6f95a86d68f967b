// What a setting may be. Nothing is converted: "0.5", [5] and true are no numbers, whatever JavaScript makes of them.

/** What a value may be, and how to say so. */
export interface Rule {
  /** What completes "expected ... to be": alternatives, as `inWords` lists them. */
  readonly expected: readonly string[];
  readonly allows: (value: unknown) => boolean;
  /** Whether it must be given. Without, undefined is allowed and stands for the default. */
  readonly required?: boolean;
  /** What to do about a value that is refused: a sentence. */
  readonly advice?: string;
}

/** The ends of a range of numbers; each is open unless it is given. */
export interface Range {
  /** The smallest number that is allowed. */
  readonly least?: number;
  /** The largest number that is allowed. */
  readonly most?: number;
  /** All numbers that are allowed are larger. */
  readonly above?: number;
  /** All numbers that are allowed are smaller. */
  readonly below?: number;
}

/** Finite numbers in a range. */
export function finite(range: Range = {}): Rule {
  return {
    expected: [`a finite number${rangeInWords(range)}`],
    allows: (value) => typeof value === 'number' && Number.isFinite(value) && isIn(value, range),
  };
}

/** Integers in a range, as far as float64 counts without gaps. */
export function integer(range: Range = {}): Rule {
  return {
    expected: [`an integer${rangeInWords(range)}`],
    allows: (value) => Number.isSafeInteger(value) && isIn(value as number, range),
  };
}

/** One of some texts or numbers. */
export function oneOf(...choices: readonly (string | number)[]): Rule {
  return {
    expected: choices.map((choice) => (typeof choice === 'string' ? `'${choice}'` : String(choice))),
    allows: (value) => choices.some((choice) => choice === value),
  };
}

export const flag: Rule = { expected: ['true', 'false'], allows: (value) => typeof value === 'boolean' };

/** A function, described by what it does. */
export function callable(expected = 'a function'): Rule {
  return { expected: [expected], allows: (value) => typeof value === 'function' };
}

/** By its members, since a signal may come from another realm. */
export const abortSignal: Rule = {
  expected: ['an AbortSignal'],
  allows: (value) => {
    const { aborted, addEventListener } = (value ?? {}) as Partial<Record<string, unknown>>;
    return typeof aborted === 'boolean' && typeof addEventListener === 'function';
  },
};

/** What is checked elsewhere; only its name is known here. */
export const anything: Rule = { expected: ['anything'], allows: () => true };

/** What any of several rules allows. */
export function either(...rules: readonly Rule[]): Rule {
  return {
    expected: rules.flatMap(({ expected }) => expected),
    allows: (value) => rules.some((rule) => rule.allows(value)),
  };
}

/** What a rule allows, and must be given. */
export const required = (rule: Rule): Rule => ({ ...rule, required: true });

function isIn(value: number, { least, most, above, below }: Range): boolean {
  return (
    value >= (least ?? Number.NEGATIVE_INFINITY) &&
    value <= (most ?? Number.POSITIVE_INFINITY) &&
    value > (above ?? Number.NEGATIVE_INFINITY) &&
    value < (below ?? Number.POSITIVE_INFINITY)
  );
}

function rangeInWords({ least, most, above, below }: Range): string {
  const ends = [
    [least, '>='],
    [above, '>'],
    [most, '<='],
    [below, '<'],
  ] as const;
  const given = ends.filter(([end]) => end !== undefined).map(([end, sign]) => `${sign} ${end}`);
  return given.length === 0 ? '' : ` ${given.join(' and ')}`;
}

/** What a rule expects: `a, b or c`. */
export function inWords({ expected }: Rule): string {
  const last = expected.at(-1)!;
  return expected.length === 1 ? last : `${expected.slice(0, -1).join(', ')} or ${last}`;
}
