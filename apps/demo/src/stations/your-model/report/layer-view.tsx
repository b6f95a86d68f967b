import type { LayerInspection } from '@rebatch/inspect';
import { Meter } from '../../../ui/meter.tsx';
import { MEAN_NOISE, MEAN_SHIFT, VARIANCE_NOISE, VARIANCE_SHIFT } from './limits.ts';
import { short } from './numbers.ts';

/** One layer's numbers as bars, with marks where advice begins. */
export function LayerView({ layer }: { readonly layer: LayerInspection }) {
  const { name, channels, valuesPerBatch, shift, noise, estimationShift } = layer;
  const deviations = (value: number | undefined) => (value === undefined ? undefined : `${short(value)} σ`);
  const share = (value: number | undefined) => (value === undefined ? undefined : `${short(100 * value)}%`);
  const factor = (value: number | undefined) =>
    value === undefined ? undefined : `× ${short(Math.exp(value))}`;
  return (
    <li class="layer">
      <h3>
        {name}{' '}
        <small class="layer-detail">
          {channels} channels, {valuesPerBatch.toLocaleString('en')} values per channel and batch
        </small>
      </h3>
      <div class="meters">
        <Meter
          name="Stored mean off by"
          shown={deviations(shift?.mean.rms)}
          value={shift?.mean.rms ?? 0}
          most={1}
          threshold={MEAN_SHIFT}
          color="ema"
        />
        <Meter
          name="Stored variance off by"
          shown={factor(shift?.variance.rms)}
          value={shift?.variance.rms ?? 0}
          most={2}
          threshold={VARIANCE_SHIFT}
          color="ema"
        />
        <Meter
          name="Batch means scatter by"
          shown={deviations(noise?.mean)}
          value={noise?.mean ?? 0}
          most={1}
          threshold={MEAN_NOISE}
          color="mini-batch"
        />
        <Meter
          name="Batch variances scatter by"
          shown={share(noise?.variance)}
          value={noise?.variance ?? 0}
          most={2}
          threshold={VARIANCE_NOISE}
          color="mini-batch"
        />
        <Meter
          name="Depth adds to the mean"
          shown={deviations(estimationShift?.mean.rms)}
          value={estimationShift?.mean.rms ?? 0}
          most={1}
          threshold={MEAN_SHIFT}
          color="layerwise"
        />
      </div>
    </li>
  );
}
