// Writes FEATURES.md from packages/core/features, where the conformance suites left what they found: the second half of
// `pnpm features`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BackendFeatures, featuresPage } from '../src/conformance/features-page.ts';

const folder = new URL('../features/', import.meta.url);
const found = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as BackendFeatures,
);
writeFileSync(fileURLToPath(new URL('../../../FEATURES.md', import.meta.url)), featuresPage(found));
