import { useMemo } from 'preact/hooks';
import { strokeStyle } from '../../training/curves.ts';
import { errorScale } from '../../training/error-scale.ts';
import { Chart } from '../../ui/chart.tsx';
import type { StatisticsSeries } from './series.ts';
import type { TrainEvent } from './settings.ts';

export interface ErrorChartProps {
  readonly events: readonly TrainEvent[];
  readonly steps: number;
  readonly series: readonly StatisticsSeries[];
}

/** The errors over the steps, one curve for each way to get the statistics. */
export function ErrorChart({ events, steps, series }: ErrorChartProps) {
  const plot = useMemo(
    () =>
      ((Plot) => {
        const all = events.flatMap(({ errors }) =>
          Object.values(errors).filter((error) => error !== undefined),
        );
        const { axis, at } = errorScale(all);
        return {
          marginLeft: 44,
          marginBottom: 38,
          x: { domain: [0, steps], label: 'SGD steps', labelAnchor: 'center' },
          y: { ...axis, label: 'error (%), log scale', grid: true },
          marks: series.map(({ key, color, stroke }) =>
            Plot.line(
              events.filter(({ errors }) => errors[key] !== undefined),
              {
                x: 'step',
                y: ({ errors }: TrainEvent) => at(errors[key] as number),
                stroke: `var(--${color})`,
                ...strokeStyle(stroke),
              },
            ),
          ),
        };
      }) satisfies Parameters<typeof Chart>[0]['plot'],
    [events, steps, series.length],
  );
  return (
    <Chart
      title="Error by step"
      summary={summarize(events.at(-1), series)}
      plot={plot}
      legend={series.map(({ text, color, stroke }) => ({ text, color, stroke }))}
    />
  );
}

function summarize(latest: TrainEvent | undefined, series: readonly StatisticsSeries[]): string {
  if (latest === undefined) return 'Nothing measured yet.';
  const parts = series.flatMap(({ key, text }) => {
    const error = latest.errors[key];
    return error === undefined ? [] : [`${text} ${(100 * error).toFixed(1)} percent`];
  });
  return `At step ${latest.step}: ${parts.join(', ')}.`;
}
