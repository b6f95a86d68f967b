import { expect, test } from 'vitest';
import { renderChart } from '../../../report/chart.ts';
import { resultOf } from '../../../testing/result-of.ts';
import { expectAllHold, failing } from '../../../testing/verdicts.ts';
import { emojiStyles } from './emoji-styles.ts';
import type { BothStylesRow, Row } from './rows.ts';

/** Errors per direction: on the own style, on the other, adapted to 8, 64 and 1000 pictures; and to 8 with prior. */
type Transfer = readonly [number, number, number, number, number, number];
/** Errors under shared and under per-domain population statistics. */
type Populations = readonly [number, number];

interface Made {
  readonly google: Transfer;
  readonly twitter: Transfer;
  /** By what SGD and the affine share. */
  readonly shared: Populations;
  readonly perDomain: Populations;
  readonly separate: Populations;
}

const good: Made = {
  google: [0.2, 0.5, 0.45, 0.305, 0.3, 0.4],
  twitter: [0.2, 0.4, 0.45, 0.305, 0.3, 0.4],
  shared: [0.2, 0.3],
  perDomain: [0.3, 0.21],
  separate: [0.35, 0.2],
};

/** Rows of two seeds that are 0.01 above and below these. */
function rows(made: Partial<Made> = {}): Row[] {
  const all = { ...good, ...made };
  return [1, 2].flatMap((seed): Row[] => {
    const off = (seed - 1.5) * 0.02;
    const transfer = (['google', 'twitter'] as const).flatMap((trained): Row[] => {
      const tested = trained === 'google' ? 'twitter' : 'google';
      const [own, other, few, some, many, careful] = all[trained];
      const row = (on: typeof trained, samples: number, prior: number, error: number): Row => ({
        part: 'one style',
        ...{ seed, trained, tested: on, samples, prior, error: error + off },
      });
      return [
        row(trained, 0, 0, own),
        row(tested, 0, 0, other),
        row(tested, 8, 0, few),
        row(tested, 8, 8, careful),
        row(tested, 64, 0, some),
        row(tested, 64, 8, some),
        row(tested, 1000, 0, many),
        row(tested, 1000, 8, many),
        { part: 'distance', seed, trained, shift: 0.4 },
      ];
    });
    const kinds: [BothStylesRow['train'], BothStylesRow['affine'], Populations][] = [
      ['shared', 'shared', all.shared],
      ['per-domain', 'shared', all.perDomain],
      ['per-domain', 'per-domain', all.separate],
    ];
    const sharing = kinds.flatMap(([train, affine, errors]) =>
      (['shared', 'per-domain'] as const).flatMap((population, i) =>
        // The styles are on both sides of the error that the claims are about.
        (['google', 'twitter'] as const).map((tested, k): Row => {
          const error = errors[i]! + off + (k === 0 ? 0.05 : -0.05);
          return { part: 'both styles', seed, train, population, affine, tested, error };
        }),
      ),
    );
    return [
      { part: 'baseline', seed, error: 0.8 },
      ...transfer,
      ...sharing,
      { part: 'distance', seed, trained: 'both', shift: 0.123 },
    ];
  });
}

test('all claims hold of rows as in the paper', () => {
  const claims = emojiStyles.claims(rows());
  expectAllHold(claims, 7);
  expect(claims.map(({ measured }) => measured)).toEqual([
    expect.stringContaining('google to twitter 20.00% on its own, 50.00% on the other; twitter to google'),
    expect.stringContaining(
      'all 1000 pictures change the error by, google to twitter -20.00 ±0.00 points of the 30.00% lost',
    ),
    expect.stringContaining('30.50% with 64, 30.00% with all'),
    expect.stringContaining('twitter to google 40.00% without, 40.00% with prior 8, 45.00% with none'),
    expect.stringContaining('SGD shared, affine shared: +10.00 ±0.00 points'),
    expect.stringContaining('per domain instead of shared changes it by +1.00 ±0.00 points'),
    expect.stringContaining('an affine per domain changes the error by -1.00 ±0.00 points'),
  ]);
});

test.each<[string, number, Partial<Made>]>([
  ['the other style is nearly as easy', 0, { twitter: [0.37, 0.4, 0.45, 0.305, 0.3, 0.4] }],
  ['adapting wins nothing in one direction', 1, { twitter: [0.2, 0.4, 0.45, 0.41, 0.405, 0.4] }],
  ['64 pictures are too few in one direction', 2, { google: [0.2, 0.5, 0.45, 0.32, 0.3, 0.4] }],
  ['8 pictures harm with the prior, too', 3, { twitter: [0.2, 0.4, 0.45, 0.305, 0.3, 0.41] }],
  ['the other population costs little in one training', 4, { separate: [0.21, 0.2] }],
  ['statistics per style are worse', 5, { perDomain: [0.4, 0.225], separate: [0.4, 0.22] }],
  ['an affine per style is worse', 6, { separate: [0.4, 0.24] }],
])('a claim fails where %s, and says why', (_, which, made) => {
  const claims = emojiStyles.claims(rows(made));
  expect(failing(claims)).toEqual([which]);
  expect(claims[which]!.why).toMatch(/\d/);
});

test('population statistics of the other kind that do better are no finding of the paper', () => {
  const claims = emojiStyles.claims(rows({ shared: [0.2, 0.1] }));
  expect(claims[4]!.holds).toBe(false);
  expect(claims[4]!.measured).toContain('SGD shared, affine shared: -10.00');
  expect(claims[4]!.why).toContain('0.12 standard deviations');
});

test('the table has a line per way to normalize and a column per style', () => {
  const { head, body } = emojiStyles.table(resultOf(emojiStyles, rows()));
  expect(head).toEqual(['trained on', 'normalized by', 'error % on google', 'error % on twitter']);
  expect(body[0]).toEqual(['nothing', 'the most frequent category', '80.00 ±0.00', '80.00 ±0.00']);
  expect(body).toContainEqual([
    'google',
    'the statistics of the style of training',
    '20.00 ±1.41',
    '50.00 ±1.41',
  ]);
  expect(body).toContainEqual(['twitter', 'adapted to 8 pictures, prior 8', '40.00 ±1.41', '']);
  const separate = 'SGD per-domain, population shared, affine per-domain';
  expect(body).toContainEqual(['both', separate, '40.00 ±1.41', '30.00 ±1.41']);
  expect(body).toHaveLength(1 + 2 * 7 + 6);
});

test('the chart has a line per direction and a point per way to share', () => {
  const chart = renderChart(emojiStyles, resultOf(emojiStyles, rows()));
  for (const text of [
    'google to twitter, prior 8',
    'twitter to itself',
    'SGD shared, population per-domain',
  ]) {
    expect(chart).toContain(text);
  }
  expect(chart).not.toContain('NaN');
});
