import type { StationManifest } from '../station.ts';
import { CODE } from './code.ts';

export const leakage: StationManifest = {
  name: 'leakage',
  short: 'Leakage',
  question: 'Can a network cheat through its batch?',
  act: 'Press Train and let the network cheat; then train it again with Ghost groups.',
  teaser:
    'Watch a network read labels off its batch instead of its digits, catch it with an audit, and stop it.',
  code: CODE,
  page: () => import('./page.tsx'),
};
