import type { StationManifest } from '../station.ts';
import { CODE } from './code.ts';

export const batchSize: StationManifest = {
  name: 'batch-size',
  short: 'Batch size',
  question: 'How many samples should share one mean?',
  act: 'Train with 4 digits to a mean, then with 128, and compare.',
  teaser:
    'Choose how many digits are normalized together, watch training and inference grow apart, then close the gap by freezing the statistics.',
  code: CODE,
  page: () => import('./page.tsx'),
};
