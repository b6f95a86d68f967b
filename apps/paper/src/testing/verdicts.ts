// What tests expect of claims.

import type { Claim } from '@rebatch/findings';
import { expect } from 'vitest';

/** The claims that do not hold, by their place in the list. */
export function failing(claims: readonly Claim[]): number[] {
  return claims.flatMap(({ holds }, i) => (holds ? [] : [i]));
}

/** Expects as many claims, and that all of them hold. */
export function expectAllHold(claims: readonly Claim[], count: number): void {
  expect(claims).toHaveLength(count);
  expect(failing(claims)).toEqual([]);
}

/** Expects as many claims, and that all of them fail, each with its reason in numbers. */
export function expectNoneHolds(claims: readonly Claim[], count: number, reason = /\d%/): void {
  expect(failing(claims)).toEqual(Array.from({ length: count }, (_, i) => i));
  for (const { why } of claims) expect(why).toMatch(reason);
}
