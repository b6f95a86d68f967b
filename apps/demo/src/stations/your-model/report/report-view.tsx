import type { ErrorRate, InspectionReport } from '@rebatch/inspect';
import { Panel } from '../../../ui/panel.tsx';
import { percent } from '../../../ui/percent.ts';
import { Stat, Stats } from '../../../ui/stat.tsx';
import { AdviceView } from './advice-view.tsx';
import { DepthChart } from './depth-chart.tsx';
import { LayerView } from './layer-view.tsx';

/** More layers than these are folded away under the chart. */
const SHOWN_LAYERS = 6;

/** What `inspect` found: advice first, then what it rests on. */
export function ReportView({ report }: { readonly report: InspectionReport }) {
  const { advice, errors, layers, samples, batches, batchSize, seconds } = report;
  const list = (
    <ul class="plain-list">
      {layers.map((layer) => (
        <LayerView key={layer.name} layer={layer} />
      ))}
    </ul>
  );
  return (
    <>
      <Panel title="What to do">
        <p class="field-hint">
          From {samples.toLocaleString('en')} images in {batches} batches of {batchSize}, in{' '}
          {seconds.toFixed(1)} s.
        </p>
        <ul class="plain-list">
          {advice.map((one) => (
            <AdviceView key={one.advice} advice={one} />
          ))}
        </ul>
      </Panel>
      {errors !== null && (
        <Panel title="Errors by the statistics that normalize">
          <p class="field-hint">
            On {errors.samples.toLocaleString('en')} held-out images: the same weights, four kinds of
            statistics.
          </p>
          <Stats>
            <ErrorStat name="Stored (EMA)" color="ema" rate={errors.stored} />
            <ErrorStat name="Precise" color="precise" rate={errors.precise} />
            <ErrorStat name="Layerwise" color="layerwise" rate={errors.layerwise} />
            <ErrorStat name="Mini-batch" color="mini-batch" rate={errors.batch} />
          </Stats>
        </Panel>
      )}
      <Panel title="Layer by layer">
        <p class="field-hint">
          How far the stored statistics are from those of your images, how much they scatter from batch to
          batch, and what normalizing by batches adds with depth. σ is a standard deviation of the channel;
          the marks are where advice begins.
        </p>
        {layers.length > 1 && <DepthChart layers={layers} />}
        {layers.length <= SHOWN_LAYERS ? (
          list
        ) : (
          <details>
            <summary>All {layers.length} layers</summary>
            {list}
          </details>
        )}
      </Panel>
    </>
  );
}

function ErrorStat({
  name,
  color,
  rate,
}: {
  readonly name: string;
  readonly color: 'ema' | 'precise' | 'layerwise' | 'mini-batch';
  readonly rate: ErrorRate | null;
}) {
  return (
    <Stat
      name={name}
      color={color}
      value={rate === null ? undefined : percent(rate.error)}
      {...(rate === null ? {} : { detail: `± ${percent(rate.standardError)}` })}
    />
  );
}
