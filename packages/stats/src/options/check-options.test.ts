import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RebatchError } from '../errors.ts';
import { checkNames, checkOptions, checkValue, type OptionRules } from './check-options.ts';
import { nearest, typingErrors } from './nearest.ts';
import {
  abortSignal,
  anything,
  callable,
  either,
  finite,
  flag,
  integer,
  inWords,
  oneOf,
  type Rule,
  required,
} from './rules.ts';
import { shown } from './shown.ts';

class MyError extends RebatchError {}

interface Options {
  readonly samples?: number | 'all';
  readonly decay?: number;
  readonly mode?: 'batch' | 'layerwise';
  readonly data: unknown;
}

const rules: OptionRules<Options> = {
  samples: either(integer({ least: 1 }), oneOf('all')),
  decay: finite({ least: 0, below: 1 }),
  mode: oneOf('batch', 'layerwise'),
  data: required(anything),
};

const check = (options: unknown) => checkOptions('tool', options as Options, rules, MyError);
const messageOf = (body: () => void) => {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(MyError);
    return (error as Error).message;
  }
  return expect.fail('expected to throw');
};

/** What JavaScript would take for a number, a flag or a text in some place. */
const COERCIBLE: readonly unknown[] = [
  null,
  true,
  false,
  '',
  '7',
  '0.5',
  [],
  [5],
  [0.5],
  new Number(0.5),
  new Date(0),
  5n,
  { valueOf: () => 0.5 },
  Object.create(null),
  Symbol('0.5'),
  () => 0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

describe('checkOptions', () => {
  test('takes what the rules allow, and undefined for what was not given', () => {
    check({ data: 1 });
    check({ data: 1, samples: undefined, mode: undefined });
    check({ data: 1, samples: 3, decay: 0, mode: 'layerwise' });
    check({ data: 1, samples: 'all', decay: 0.999 });
    check(Object.assign(Object.create(null), { data: 1 }));
  });

  test.each([
    [{ data: 1, samples: 0 }, "tool: expected option samples to be an integer >= 1 or 'all', got 0."],
    [{ data: 1, samples: '5' }, `tool: expected option samples to be an integer >= 1 or 'all', got "5".`],
    [{ data: 1, decay: 1 }, 'tool: expected option decay to be a finite number >= 0 and < 1, got 1.'],
    [{ data: 1, decay: null }, 'tool: expected option decay to be a finite number >= 0 and < 1, got null.'],
    [{ data: 1, mode: 'fast' }, `tool: expected option mode to be 'batch' or 'layerwise', got "fast".`],
  ])('refuses %j', (options, message) => {
    expect(messageOf(() => check(options))).toBe(message);
  });

  test('what must be given is missed', () => {
    const strict = { ...rules, data: required(callable('a function that gives data')) };
    expect(messageOf(() => checkOptions<Options>('tool', { mode: 'batch' } as never, strict, MyError))).toBe(
      'tool: expected option data to be a function that gives data, got undefined.',
    );
  });

  test.each([null, 7, 'all', [{}], () => {}, undefined])('options are an object, not %s', (options) => {
    expect(messageOf(() => check(options))).toMatch(
      /^tool: expected options to be an object such as \{samples: \.\.\.\}, got /,
    );
  });

  test.each([
    ['sample', 'samples'],
    ['Samples', 'samples'],
    ['smaples', 'samples'],
    ['modes', 'mode'],
    ['decya', 'decay'],
  ])('an unknown %s names %s', (name, meant) => {
    expect(messageOf(() => check({ data: 1, [name]: 1 }))).toBe(
      `tool: expected only options that there are, got one of the name "${name}". Did you mean ${meant}? There are ` +
        'samples, decay, mode, data.',
    );
  });

  test('a name that is like none gets the list alone', () => {
    const message = messageOf(() => check({ data: 1, learningRate: undefined }));
    expect(message).toMatch(/got one of the name "learningRate"\. There are samples, decay, mode, data\.$/);
  });

  test('names that objects have by birth are no options', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      expect(messageOf(() => check({ data: 1, [name]: 1 }))).toContain(`"${name}"`);
    }
    expect(messageOf(() => check(JSON.parse('{"data": 1, "__proto__": {"samples": 3}}')))).toContain(
      '"__proto__"',
    );
  });

  test('any name that is not known is refused, quickly, in a short message', () => {
    const known = ['samples', 'prior'];
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (name) => {
        fc.pre(!known.includes(name) && name !== '__proto__');
        const message = messageOf(() => checkNames('tool', { [name]: 1 }, known, MyError));
        expect(message.length).toBeLessThan(450);
      }),
    );
    expect(messageOf(() => checkNames('tool', { ['x'.repeat(1e6)]: 1 }, known, MyError)).length).toBeLessThan(
      300,
    );
  });
});

describe('rules take nothing for a number that is none', () => {
  const numbers: [string, Rule][] = [
    ['finite()', finite()],
    ['finite({ least: 0 })', finite({ least: 0 })],
    ['integer()', integer()],
    ['integer({ least: 0 })', integer({ least: 0 })],
    ['oneOf(0, 5)', oneOf(0, 5)],
  ];
  test.each(numbers)('%s', (_, rule) => {
    for (const value of COERCIBLE) expect(rule.allows(value), shown(value)).toBe(false);
    for (const value of COERCIBLE) {
      expect(messageOf(() => checkValue('tool', 'n', value, rule, MyError))).toMatch(
        /^tool: expected n to be /,
      );
    }
  });

  test('flags, functions and signals neither', () => {
    const flags = COERCIBLE.filter((value) => flag.allows(value));
    expect(flags).toEqual([true, false]);
    expect(COERCIBLE.filter((value) => callable().allows(value))).toHaveLength(1);
    expect(COERCIBLE.filter((value) => abortSignal.allows(value))).toEqual([]);
    expect(abortSignal.allows(new AbortController().signal)).toBe(true);
    expect(abortSignal.allows(new AbortController())).toBe(false);
  });

  test('ranges are as they say', () => {
    const cases: [Rule, string, number[], number[]][] = [
      [finite({ least: 0 }), 'a finite number >= 0', [0, -0, 1e308], [-1e-300]],
      [finite({ above: 0 }), 'a finite number > 0', [5e-324], [0, -0]],
      [finite({ above: 0, below: 1 }), 'a finite number > 0 and < 1', [0.5], [0, 1]],
      [finite({ least: 0, most: 1 }), 'a finite number >= 0 and <= 1', [0, 1], [1.0000001]],
      [integer({ least: 1 }), 'an integer >= 1', [1, 2 ** 53 - 1], [0, 1.5, 2 ** 53]],
      [integer({ least: 2, most: 4 }), 'an integer >= 2 and <= 4', [2, 4], [1, 5]],
      [integer(), 'an integer', [-3, 0], [0.5]],
    ];
    for (const [rule, expected, good, bad] of cases) {
      expect(inWords(rule)).toBe(expected);
      for (const value of good) expect(rule.allows(value), `${expected}: ${value}`).toBe(true);
      for (const value of bad) expect(rule.allows(value), `${expected}: ${value}`).toBe(false);
    }
  });

  test('either, and lists of choices, in words', () => {
    const rule = either(integer({ least: 1 }), oneOf('all', 'auto'), flag);
    expect(inWords(rule)).toBe("an integer >= 1, 'all', 'auto', true or false");
    expect([1, 'all', false].every(rule.allows)).toBe(true);
    expect(['none', 0, null].some(rule.allows)).toBe(false);
    expect(inWords(oneOf('one'))).toBe("'one'");
    expect(inWords(oneOf('a', 'b', 3))).toBe("'a', 'b' or 3");
  });

  test('advice ends the message', () => {
    const rule = { ...integer({ least: 1 }), advice: 'Use one.' };
    expect(messageOf(() => checkValue('tool', 'n', 0, rule, MyError))).toBe(
      'tool: expected n to be an integer >= 1, got 0. Use one.',
    );
  });
});

describe('the nearest name', () => {
  // Worked out by hand.
  test.each([
    ['', '', 0],
    ['abc', '', 3],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['ab', 'ba', 1],
    ['ca', 'abc', 3],
    ['priors', 'prior', 1],
    ['normalisation', 'normalization', 1],
  ])('from %o to %o take %i typing errors', (a, b, errors) => {
    expect(typingErrors(a, b)).toBe(errors);
    expect(typingErrors(b, a)).toBe(errors);
  });

  test('typing errors are bounded by the lengths, and none only between equals', () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const errors = typingErrors(a, b);
        expect(errors).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(errors).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(errors === 0).toBe(a === b);
      }),
    );
  });

  test('is the first of equally near ones, and none where none is near', () => {
    expect(nearest('model', ['mode', 'models'])).toBe('mode');
    expect(nearest('maxSamples', ['mode', 'samples'])).toBe('samples');
    expect(nearest('lr', ['mode', 'on'])).toBeUndefined();
    expect(nearest('anything', [])).toBeUndefined();
  });
});

describe('shown', () => {
  const loop: unknown[] = [];
  loop.push(loop);
  let deep: unknown = 0;
  for (let i = 0; i < 20_000; i++) deep = [deep];
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const hostile = {
    get shape(): never {
      throw new Error('never seen');
    },
  };
  const cases: readonly (readonly [unknown, string])[] = [
    [0.5, '0.5'],
    [Number.NaN, 'NaN'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    ['text', '"text"'],
    ['\u001b[31m', '"\\u001b[31m"'],
    ['x'.repeat(1000), `"${'x'.repeat(40)}..." (1000 characters)`],
    [10n ** 5000n, 'a bigint'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 0, 'a function'],
    [[], '[]'],
    [[5], '[5]'],
    [[3, 'a', true, null], '[3, "a", true, null]'],
    [[1, 2, 3, 4, 5, 6], 'an array of 6 items'],
    [[{}], 'an array of 1 item'],
    [loop, 'an array of 1 item'],
    [deep, 'an array of 1 item'],
    [Float32Array.of(1, 2), 'a Float32Array of 2 values'],
    [new ArrayBuffer(3), 'an ArrayBuffer'],
    [new Map(), 'a Map'],
    [{}, 'an object without members'],
    [Object.create(null), 'an object without members'],
    [{ a: 1, b: 2 }, 'an object with a, b'],
    [{ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }, 'an object with a, b, c, d, e, ...'],
    [{ shape: [2, 3], dtype: 'float32' }, 'a tensor of shape [2, 3]'],
    [proxy, 'a value of type object that cannot be read'],
    [hostile, 'a value of type object that cannot be read'],
  ];

  test('says what came', () => {
    for (const [value, words] of cases) expect(shown(value)).toBe(words);
  });

  test('anything is shown, in few words', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withTypedArray: true }), (value) => {
        expect(shown(value).length).toBeLessThan(400);
      }),
    );
  });
});
