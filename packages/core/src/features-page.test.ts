import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BackendFeatures, featuresPage } from './conformance/features-page.ts';

const folder = new URL('../features/', import.meta.url);
const found = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as BackendFeatures,
);

describe('FEATURES.md', () => {
  it('is made of what the conformance suites found', () => {
    const page = readFileSync(new URL('../../../FEATURES.md', import.meta.url), 'utf8');
    expect(page, 'FEATURES.md is not up to date: run pnpm features').toBe(featuresPage(found));
  });

  it('says so where a backend was not tried for a feature', () => {
    const [first] = found as [BackendFeatures];
    const other = { ...first, name: 'other', ops: { new: 'ours' } };
    const row = featuresPage([first, other])
      .split('\n')
      .find((line) => line.startsWith('| new'));
    expect(row).toBe('| new | not tried | ours |');
  });
});
