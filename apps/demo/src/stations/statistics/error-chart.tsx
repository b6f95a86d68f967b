import { useMemo } from 'preact/hooks';
import { Chart } from '../../ui/chart.tsx';
import type { SeriesColor } from '../../ui/colors.ts';
import type { Errors, TrainEvent } from './settings.ts';

const SERIES: readonly { key: keyof Errors; text: string; color: SeriesColor }[] = [
  { key: 'ema', text: 'EMA', color: 'ema' },
  { key: 'precise', text: 'PreciseBN', color: 'precise' },
  { key: 'layerwise', text: 'Layerwise', color: 'layerwise' },
  { key: 'miniBatch', text: 'Mini-batch', color: 'mini-batch' },
];

/** The errors over the steps, one curve for each way to get the statistics. */
export function ErrorChart({
  events,
  steps,
}: {
  readonly events: readonly TrainEvent[];
  readonly steps: number;
}) {
  const plot = useMemo(
    () =>
      ((Plot) => ({
        marginLeft: 44,
        marginBottom: 38,
        x: { domain: [0, steps], label: 'SGD steps', labelAnchor: 'center' },
        y: { domain: [0, 100], label: 'error (%)', grid: true },
        marks: [
          Plot.ruleY([0]),
          ...SERIES.map(({ key, color }) =>
            Plot.line(
              events.filter(({ errors }) => errors[key] !== undefined),
              {
                x: 'step',
                y: ({ errors }: TrainEvent) => 100 * (errors[key] as number),
                stroke: `var(--${color})`,
                strokeWidth: 2.25,
              },
            ),
          ),
        ],
      })) satisfies Parameters<typeof Chart>[0]['plot'],
    [events, steps],
  );
  return (
    <Chart
      title="Error by step"
      summary={summarize(events.at(-1))}
      plot={plot}
      legend={SERIES.map(({ text, color }) => ({ text, color }))}
    />
  );
}

function summarize(latest: TrainEvent | undefined): string {
  if (latest === undefined) return 'Nothing measured yet.';
  const parts = SERIES.flatMap(({ key, text }) => {
    const error = latest.errors[key];
    return error === undefined ? [] : [`${text} ${(100 * error).toFixed(1)} percent`];
  });
  return `At step ${latest.step}: ${parts.join(', ')}.`;
}
