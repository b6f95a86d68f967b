// Writes FEATURES.md from the folder `features`, where the suites left what they found: the second half of
// `pnpm features`.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { featuresPage } from '../src/features/features-page.ts';
import { readFeatures } from '../src/features/read-features.ts';

const { backends, dispatches } = readFeatures();
const page = fileURLToPath(new URL('../../../../FEATURES.md', import.meta.url));
writeFileSync(page, featuresPage(backends, dispatches));
