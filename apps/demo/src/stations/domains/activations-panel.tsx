import { useMemo } from 'preact/hooks';
import { Chart } from '../../ui/chart.tsx';
import type { SeriesColor } from '../../ui/colors.ts';
import { Panel } from '../../ui/panel.tsx';
import { BINS, type Histogram, REACH } from './settings.ts';
import type { Domains } from './use-domains.ts';

const LAYERS = [0, 1, 2];
const LEGEND: readonly { readonly text: string; readonly color: SeriesColor }[] = [
  { text: 'Clean digits', color: 'clean' },
  { text: 'These, before adapting', color: 'bad' },
  { text: 'These, now', color: 'precise' },
];

/** What each batch normalization hands on: the reason for the accuracies. */
export function ActivationsPanel({ domains }: { readonly domains: Domains }) {
  const { clean, sight, present } = domains;
  return (
    <Panel title="Why: what each layer hands to the next">
      <p class="field-hint">
        Batch normalization promises the next layer values with mean 0 and standard deviation 1. With the
        statistics of another domain that promise is broken; adapting moves the values back to where the next
        layer learned to expect them.
      </p>
      <ul class="legend">
        {LEGEND.map(({ text, color }) => (
          <li key={text} style={{ '--key-color': `var(--${color})` }}>
            {text}
          </li>
        ))}
      </ul>
      <div class="histograms">
        {LAYERS.map((layer) => (
          <HistogramChart
            key={layer}
            title={`BN ${layer + 1}`}
            clean={clean.value?.activations[layer]}
            before={sight.value?.source.activations[layer]}
            now={present.value?.activations[layer]}
          />
        ))}
      </div>
    </Panel>
  );
}

interface HistogramChartProps {
  readonly title: string;
  readonly clean: Histogram | undefined;
  readonly before: Histogram | undefined;
  readonly now: Histogram | undefined;
}

function HistogramChart({ title, clean, before, now }: HistogramChartProps) {
  const plot = useMemo(
    () =>
      ((Plot) => {
        const curve = (histogram: Histogram | undefined, color: SeriesColor, width: number) =>
          histogram === undefined
            ? []
            : [
                Plot.lineY(binsOf(histogram), {
                  x: 'value',
                  y: 'share',
                  stroke: `var(--${color})`,
                  strokeWidth: width,
                  curve: 'step',
                }),
              ];
        return {
          marginLeft: 36,
          marginBottom: 40,
          x: { domain: [-REACH, REACH], label: 'normalized input', ticks: 5 },
          // Where nothing is drawn most values are alike: the square root keeps the rest in sight.
          y: {
            type: 'sqrt',
            domain: [0, 0.4],
            label: '% of values',
            ticks: [0, 0.01, 0.05, 0.1, 0.2, 0.4],
            tickFormat: (share: number) => `${Math.round(100 * share)}`,
          },
          marks: [
            Plot.ruleY([0]),
            ...curve(clean, 'clean', 1.5),
            ...curve(before, 'bad', 1.5),
            ...curve(now, 'precise', 2),
          ],
        };
      }) satisfies Parameters<typeof Chart>[0]['plot'],
    [clean, before, now],
  );
  return (
    <Chart
      title={title}
      summary={`Clean: ${inWords(clean)}. Before adapting: ${inWords(before)}. Now: ${inWords(now)}.`}
      plot={plot}
      ratio={[4, 3]}
    />
  );
}

function binsOf({ shares }: Histogram) {
  return Array.from(shares, (share, bin) => ({ value: ((bin + 0.5) / BINS) * 2 * REACH - REACH, share }));
}

function inWords(histogram: Histogram | undefined): string {
  if (histogram === undefined) return 'not measured yet';
  return `mean ${histogram.mean.toFixed(2)}, deviation ${histogram.deviation.toFixed(2)}`;
}
