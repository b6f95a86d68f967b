import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BackendFeatures, featuresPage } from './features-page.ts';
import { readFeatures } from './read-features.ts';

const { backends, dispatches } = readFeatures();

describe('FEATURES.md', () => {
  it('is made of what the conformance suites found', () => {
    const page = readFileSync(new URL('../../../../../FEATURES.md', import.meta.url), 'utf8');
    expect(page, 'FEATURES.md is not up to date: run pnpm features').toBe(featuresPage(backends, dispatches));
  });

  it('says so where a backend was not tried for a feature', () => {
    const [first] = backends as [BackendFeatures];
    const other = { ...first, name: 'other', ops: { new: 'ours' } };
    const row = featuresPage([first, other], dispatches)
      .split('\n')
      .find((line) => line.startsWith('| new'));
    expect(row).toBe('| new | not tried | ours |');
  });
});
