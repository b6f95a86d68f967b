import type { StationManifest } from '../station.ts';
import { CODE } from './code.ts';

export const statistics: StationManifest = {
  name: 'statistics',
  short: 'Statistics',
  question: 'Which statistics should a network run on?',
  act: 'Press Train, and watch the two errors of the same weights drift apart.',
  teaser:
    'Train a network and test the same weights twice: under the moving average that training keeps, and under statistics measured afresh.',
  code: CODE,
  page: () => import('./page.tsx'),
};
