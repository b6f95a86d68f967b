import { expect, test } from 'vitest';
import { conclusionOf, overallOf } from './conclusion.ts';

const claim = (claim: string, holds: boolean, why?: string) => ({
  claim,
  measured: '1%',
  holds,
  ...(why === undefined ? {} : { why }),
});

test('one finding: all of its claims, some, or none', () => {
  expect(conclusionOf(undefined)).toBeUndefined();
  expect(conclusionOf({ claims: [claim('A', true)] })).toBe('The one claim of this finding holds here.');
  expect(conclusionOf({ claims: [claim('A', true), claim('B', true)] })).toBe(
    'All 2 claims of this finding hold here.',
  );
  expect(conclusionOf({ claims: [claim('A', true), claim('B of 10^3', false, 'Too few.')] })).toBe(
    '1 of its 2 claims hold here. The first that does not: B of 10³. Too few.',
  );
  expect(conclusionOf({ claims: [claim('A.', false), claim('B', false)] })).toBe(
    'None of its 2 claims holds here. The first that does not: A.',
  );
});

test('all findings', () => {
  expect(overallOf(undefined)).toBeUndefined();
  expect(overallOf([])).toBeUndefined();
  expect(overallOf([{ claims: [claim('A', true)] }, { claims: [claim('B', true), claim('C', false)] }])).toBe(
    '2 of 3 claims hold on small networks, and 1 of 2 findings hold in every claim. Open one to see which do not.',
  );
});
