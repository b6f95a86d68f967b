import type { ComponentType } from 'preact';
import type { StationName } from '../lab/stations.ts';

export interface StationEntry {
  /** In the address. */
  readonly name: string;
  /** In the navigation. */
  readonly short: string;
  readonly title: string;
  readonly teaser: string;
  readonly load: () => Promise<{ default: ComponentType }>;
}

/** The stations in their order. */
export const STATIONS: readonly StationEntry[] = [
  {
    name: 'statistics' satisfies StationName,
    short: 'Statistics',
    title: 'Statistics: the average that lags behind',
    teaser:
      'Watch the validation error swing under the EMA that training keeps, and stand still under PreciseBN.',
    load: () => import('./statistics/page.tsx'),
  },
  {
    name: 'batch-size' satisfies StationName,
    short: 'Batch size',
    title: 'Batch size: how many share one mean',
    teaser:
      'Choose how many digits are normalized together, and see training and inference drift apart; then freeze the gap away.',
    load: () => import('./batch-size/page.tsx'),
  },
  {
    name: 'domains' satisfies StationName,
    short: 'Domains',
    title: 'Domains: new eyes for the same weights',
    teaser:
      'Blur the digits, draw your own, hold one into the camera: a model goes blind, and a few samples repair it.',
    load: () => import('./domains/page.tsx'),
  },
  {
    name: 'leakage' satisfies StationName,
    short: 'Leakage',
    title: 'Leakage: a model that looks at its neighbours',
    teaser:
      'Watch a network learn to read labels from its batch instead of its digits, catch it by an audit, and stop it.',
    load: () => import('./leakage/page.tsx'),
  },
  {
    name: 'your-model' satisfies StationName,
    short: 'Your model',
    title: 'Your model: what is wrong with its batches',
    teaser: 'Drop a tfjs model and some images: get a report and advice, repair it here, and take it home.',
    load: () => import('./your-model/page.tsx'),
  },
  {
    name: 'paper',
    short: 'The paper',
    title: 'The paper: what holds, and what does not',
    teaser: 'The experiments, measured again: each finding with its curve, its claims, and the verdict.',
    load: () => import('./paper/page.tsx'),
  },
];
