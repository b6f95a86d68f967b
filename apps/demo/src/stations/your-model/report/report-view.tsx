import type { ErrorRate, InspectionReport } from '@rebatch/inspect';
import { Panel } from '../../../ui/panel.tsx';
import { percent } from '../../../ui/percent.ts';
import { Stat, Stats } from '../../../ui/stat.tsx';
import { AdviceView } from './advice-view.tsx';
import { DepthChart } from './depth-chart.tsx';
import { LayerView } from './layer-view.tsx';
import { Warnings } from './warnings.tsx';

/** More layers than these are folded away under the chart. */
const SHOWN_LAYERS = 6;

/** What `inspect` found: advice first, then what it rests on. */
export function ReportView({ report }: { readonly report: InspectionReport }) {
  const { advice, errors, driftErrors, reference, layers, samples, batches, batchSize, seconds, warnings } =
    report;
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
        <Warnings of={warnings} />
        <ul class="plain-list">
          {advice.map((one) => (
            <AdviceView key={one.advice} advice={one} />
          ))}
        </ul>
      </Panel>
      {errors !== null && (
        <Panel title="Errors by the statistics that normalize">
          <p class="field-hint">
            On {errors.samples.toLocaleString('en')} held-out images: the same weights, other statistics.
          </p>
          <Stats>
            <ErrorStat name="Stored (EMA)" color="ema" rate={errors.stored} />
            <ErrorStat name="Precise" color="precise" rate={errors.precise} />
            <ErrorStat name="Layerwise" color="layerwise" rate={errors.layerwise} />
            <ErrorStat name="Mini-batch" color="mini-batch" rate={errors.batch} />
            {errors.repaired !== null && (
              <ErrorStat name="Quantization repaired" color="precise" rate={errors.repaired} />
            )}
          </Stats>
        </Panel>
      )}
      {driftErrors !== null && (
        <Panel title="Errors, as it is and matched to the reference">
          <p class="field-hint">On {driftErrors.samples.toLocaleString('en')} held-out images.</p>
          <Stats>
            <ErrorStat name="As it is" color="ema" rate={driftErrors.stored} />
            <ErrorStat name="Matched" color="precise" rate={driftErrors.matched} />
          </Stats>
        </Panel>
      )}
      <Panel title="Layer by layer">
        <p class="field-hint">
          {reference === null
            ? 'How far the stored statistics are from those of your images, how much they scatter from batch to batch, and what normalizing by batches adds with depth. '
            : `How far what the sites see of your images has drifted from what they see of the ${reference.samples} reference images. `}
          σ is a standard deviation of the channel; the marks show where advice begins.
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
