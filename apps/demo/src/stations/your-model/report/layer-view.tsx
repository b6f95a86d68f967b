import type { LayerInspection } from '@rebatch/inspect';
import type { SeriesColor } from '../../../ui/colors.ts';
import { Meter, Meters } from '../../../ui/meter.tsx';
import { MEAN_NOISE, MEAN_SHIFT, VARIANCE_NOISE, VARIANCE_SHIFT } from './limits.ts';
import { short } from './numbers.ts';

const deviations = (value: number) => `${short(value)} σ`;
const factor = (value: number) => `× ${short(Math.exp(value))}`;
const share = (value: number) => `${short(100 * value)}%`;

const METERS: readonly {
  readonly name: string;
  readonly read: (layer: LayerInspection) => number | undefined;
  readonly show: (value: number) => string;
  readonly most: number;
  readonly threshold: number;
  readonly color: SeriesColor;
  /** False for what only some reports have. */
  readonly always?: boolean;
}[] = [
  {
    name: 'Stored mean off by',
    read: ({ shift }) => shift?.mean.rms,
    show: deviations,
    most: 1,
    threshold: MEAN_SHIFT,
    color: 'ema',
  },
  {
    name: 'Stored variance off by',
    read: ({ shift }) => shift?.variance.rms,
    show: factor,
    most: 2,
    threshold: VARIANCE_SHIFT,
    color: 'ema',
  },
  {
    name: 'Drifted from the reference by',
    read: ({ drift }) => drift?.mean.rms,
    show: deviations,
    most: 1,
    threshold: MEAN_SHIFT,
    color: 'ema',
    always: false,
  },
  {
    name: 'Batch means scatter by',
    read: ({ noise }) => noise?.mean,
    show: deviations,
    most: 1,
    threshold: MEAN_NOISE,
    color: 'mini-batch',
  },
  {
    name: 'Batch variances scatter by',
    read: ({ noise }) => noise?.variance,
    show: share,
    most: 2,
    threshold: VARIANCE_NOISE,
    color: 'mini-batch',
  },
  {
    name: 'Depth adds to the mean',
    read: ({ estimationShift }) => estimationShift?.mean.rms,
    show: deviations,
    most: 1,
    threshold: MEAN_SHIFT,
    color: 'layerwise',
  },
];

/** One layer's numbers as bars, with marks where advice begins. */
export function LayerView({ layer }: { readonly layer: LayerInspection }) {
  const { name, channels, valuesPerBatch } = layer;
  return (
    <li class="layer">
      <h3>
        {name}{' '}
        <small class="layer-detail">
          {channels} channels, {valuesPerBatch.toLocaleString('en')} values per channel and batch
        </small>
      </h3>
      <Meters>
        {METERS.filter(({ read, always }) => always !== false || read(layer) !== undefined).map(
          ({ name: what, read, show, always: _, ...meter }) => {
            const value = read(layer);
            const shown = value === undefined ? undefined : show(value);
            return <Meter key={what} name={what} shown={shown} value={value} {...meter} />;
          },
        )}
      </Meters>
    </li>
  );
}
