import { HeatStrip } from '../../ui/heat-strip.tsx';
import { Histogram } from '../../ui/histogram.tsx';
import { Panel } from '../../ui/panel.tsx';
import type { TrainEvent } from './settings.ts';

const LAYERS = ['BN 1', 'BN 2', 'BN 3'];
const UNKNOWN = new Float64Array(8);

/** What the errors come from: where each statistics put the channels of each layer. It moves as the network trains. */
export function LayersPanel({ latest }: { readonly latest: TrainEvent | undefined }) {
  return (
    <Panel title="Why: how far the average is from the truth, layer by layer">
      <ul class="legend">
        <li style={{ '--key-color': 'var(--ema)' }}>Normalized by the EMA</li>
        <li style={{ '--key-color': 'var(--precise)' }}>Normalized by PreciseBN</li>
      </ul>
      <div class="layer-columns">
        {LAYERS.map((name, at) => {
          const look = latest?.farthest[at];
          const means = latest?.shifts[at]?.means ?? UNKNOWN;
          const off = look === undefined ? 0 : (means[look.channel] as number);
          return (
            <section class="layer-column" key={name} aria-label={name}>
              <h3>
                {name}
                <small>
                  {look === undefined ? '' : `channel ${look.channel + 1}: ${off.toFixed(2)} σ off`}
                </small>
              </h3>
              <Histogram
                label={
                  look === undefined
                    ? `Values of a channel of ${name}: nothing measured yet`
                    : `Values of channel ${look.channel + 1} of ${name}, whose mean the EMA has ${off.toFixed(2)} standard deviations off`
                }
                values={look?.ema}
                color="ema"
                reference={look?.precise}
                referenceColor="precise"
              />
              <HeatStrip label={`Shift of ${name}`} values={means} most={1} />
            </section>
          );
        })}
      </div>
      <p class="field-hint">
        Above: the values of the channel that is farthest off, in standard deviations from the mean that each
        of the two has for it. Below: all channels, one cell each, in full colour from 1 standard deviation
        on.
      </p>
    </Panel>
  );
}
