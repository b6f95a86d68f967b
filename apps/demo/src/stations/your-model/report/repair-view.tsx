import { HeatStrip } from '../../../ui/heat-strip.tsx';
import { percent } from '../../../ui/percent.ts';
import { Stat, Stats } from '../../../ui/stat.tsx';
import type { LayerComparison, Repair } from '../settings.ts';
import { short } from './numbers.ts';
import { Warnings } from './warnings.tsx';

/** Before and after, on images that the new statistics have not seen. */
export function RepairView({ repair }: { readonly repair: Repair | undefined }) {
  const worst = (read: (layer: LayerComparison) => number) =>
    repair === undefined ? undefined : `${short(Math.max(...repair.layers.map(read)))} σ`;
  return (
    <>
      <Stats>
        <Stat
          name="Means off by, before"
          detail="worst layer"
          color="ema"
          value={worst(({ before }) => rms(before))}
        />
        <Stat
          name="Means off by, after"
          detail="worst layer"
          color="precise"
          value={worst(({ after }) => rms(after))}
        />
        <Stat name="Error before" color="ema" value={percent(repair?.errors?.before)} />
        <Stat name="Error after" color="precise" value={percent(repair?.errors?.after)} />
      </Stats>
      {repair !== undefined && <Warnings of={repair.warnings} />}
    </>
  );
}

/** How far off each layer's statistics were, and are. */
export function RepairLayers({ repair }: { readonly repair: Repair }) {
  return (
    <>
      <p class="field-hint">
        New statistics from {repair.samples.toLocaleString('en')} images
        {repair.prior > 0 && `, the old ones counting for ${repair.prior}`}, compared on{' '}
        {repair.held.toLocaleString('en')}{' '}
        {repair.apart
          ? 'others.'
          : 'images: the same ones, because there are too few to hold some back. Take it as a rough guide.'}{' '}
        {repair.errors === null && 'Errors are known for images with labels.'} One cell per channel: how far
        its mean is from that of the images compared, full colour is 1 σ or more. σ is a standard deviation of
        these images; in the report it is the one that is stored. The number is the root mean square over the
        channels.
      </p>
      <ul class="plain-list">
        {repair.layers.map(({ name, before, after, variances }) => (
          <li class="layer" key={name}>
            <h3>
              {name}{' '}
              <small class="layer-detail">
                variances off by × {short(Math.exp(variances.before))} before, ×{' '}
                {short(Math.exp(variances.after))} after
              </small>
            </h3>
            <div class="beside">
              <span>before</span>
              <HeatStrip label={`${name} before`} values={before} most={1} />
              <output>{short(rms(before))} σ</output>
              <span>after</span>
              <HeatStrip label={`${name} after`} values={after} most={1} />
              <output>{short(rms(after))} σ</output>
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

const rms = (values: Float64Array) =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
