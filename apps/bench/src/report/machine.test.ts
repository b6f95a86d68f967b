import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { sameOrigin, thisOrigin } from './machine.ts';

test('this machine is described, and not named', () => {
  const origin = thisOrigin(new Date('2026-01-31T23:00:00Z'), 'Loom');
  expect(origin).toMatchObject({ date: '2026-01-31', machine: { node: process.version, gpu: 'Loom' } });
  expect(origin.machine.cores).toBeGreaterThan(0);
  expect(origin.machine.os).toMatch(/^\w+ [\d.]*\d \w+$/);
  expect(JSON.stringify(origin)).not.toContain(`"${hostname()}"`);
  expect('gpu' in thisOrigin().machine).toBe(false);
});

test('another day or another GPU is another origin', () => {
  const now = new Date('2026-01-31');
  expect(sameOrigin(thisOrigin(now), thisOrigin(now))).toBe(true);
  expect(sameOrigin(thisOrigin(now), thisOrigin(new Date('2026-02-01')))).toBe(false);
  expect(sameOrigin(thisOrigin(now), thisOrigin(now, 'Loom'))).toBe(false);
});
