// The kinds of statistics that the errors are under, as they are drawn and named.

import type { Stroke } from '../../ui/chart.tsx';
import type { SeriesColor } from '../../ui/colors.ts';
import type { Errors, TrainEvent } from './settings.ts';

export interface StatisticsSeries {
  readonly key: keyof Errors;
  readonly text: string;
  readonly color: SeriesColor;
  readonly stroke: Stroke;
}

/** In the order in which they are drawn: those above let the ones below them show. */
const SERIES: readonly StatisticsSeries[] = [
  { key: 'precise', text: 'PreciseBN', color: 'precise', stroke: 'wide' },
  { key: 'ema', text: 'EMA', color: 'ema', stroke: 'solid' },
  { key: 'layerwise', text: 'Layerwise', color: 'layerwise', stroke: 'dashed' },
  { key: 'miniBatch', text: 'Mini-batch', color: 'mini-batch', stroke: 'dotted' },
];

/** Those that are measured: layerwise only where it is switched on, or has been. */
export function seriesOf(events: readonly TrainEvent[], layerwise: boolean): StatisticsSeries[] {
  const known = layerwise || events.some(({ errors }) => errors.layerwise !== undefined);
  return SERIES.filter(({ key }) => key !== 'layerwise' || known);
}
