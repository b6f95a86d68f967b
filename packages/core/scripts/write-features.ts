// Writes FEATURES.md from packages/core/features, where the suites left what they found: the second half of
// `pnpm features`.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { featuresPage } from '../src/conformance/features-page.ts';
import { readFeatures } from '../src/conformance/read-features.ts';

const { backends, dispatches } = readFeatures();
const page = fileURLToPath(new URL('../../../FEATURES.md', import.meta.url));
writeFileSync(page, featuresPage(backends, dispatches));
