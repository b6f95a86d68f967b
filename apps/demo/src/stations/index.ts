// The stations in their order. To add one, make its folder with a `station.ts`, and name it here.

import { batchSize } from './batch-size/station.ts';
import { domains } from './domains/station.ts';
import { leakage } from './leakage/station.ts';
import { paper } from './paper/station.ts';
import type { Station, StationManifest } from './station.ts';
import { statistics } from './statistics/station.ts';
import { yourModel } from './your-model/station.ts';

const ORDER: readonly StationManifest[] = [statistics, batchSize, domains, leakage, yourModel, paper];

export const STATIONS: readonly Station[] = ORDER.map((manifest, at) => ({
  ...manifest,
  number: at + 1,
  count: ORDER.length,
  previous: ORDER[at - 1],
  next: ORDER[at + 1],
}));
