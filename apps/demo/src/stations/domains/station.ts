import type { StationManifest } from '../station.ts';
import { CODE } from './code.ts';

export const domains: StationManifest = {
  name: 'domains',
  short: 'Domains',
  question: 'What if the inputs change?',
  act: 'Draw a digit, then press Adapt, and see how much of the damage new statistics repair.',
  teaser:
    'Blur the digits, draw your own or hold one up to the camera. The model stumbles, and a few unlabelled samples may put it right.',
  code: CODE,
  page: () => import('./page.tsx'),
};
