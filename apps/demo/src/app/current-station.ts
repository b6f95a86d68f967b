// The station that the address names.

import { computed } from '@preact/signals';
import { STATIONS } from '../stations/index.ts';
import type { Station } from '../stations/station.ts';
import { isStart, stationName } from './route.ts';

/** Undefined for the start page, and for an address that there is not. */
export const station = computed<Station | undefined>(() =>
  STATIONS.find(({ name }) => name === stationName.value),
);

/** Whether the address is one that there is not. */
export const unknown = computed(() => !isStart.value && station.value === undefined);
