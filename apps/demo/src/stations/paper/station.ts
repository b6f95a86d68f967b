import type { StationManifest } from '../station.ts';
import { codeFor } from './code.ts';

export const paper: StationManifest = {
  name: 'paper',
  short: 'The paper',
  question: 'Does the paper hold up?',
  act: 'Open a finding, and check its claims against the curves.',
  teaser: 'The paper’s experiments, measured again: each finding with its curves, its claims and a verdict.',
  code: codeFor('ema-vs-precise'),
  page: () => import('./page.tsx'),
};
