import { useMemo } from 'preact/hooks';
import { Chart } from '../../ui/chart.tsx';
import { percent } from '../../ui/percent.ts';
import { type AdaptEvent, type Measurement, SAMPLES } from './settings.ts';

export interface SamplesChartProps {
  readonly points: readonly AdaptEvent[];
  readonly clean: Measurement | undefined;
  readonly source: Measurement | undefined;
}

/** How well the model does, by how many digits it was adapted to. */
export function SamplesChart({ points, clean, source }: SamplesChartProps) {
  const plot = useMemo(
    () =>
      ((Plot) => {
        const fewest = Math.min(SAMPLES[0], ...points.map(({ samples }) => samples));
        const level = (measured: Measurement | undefined, color: string) =>
          measured === undefined
            ? []
            : [
                Plot.ruleY([100 * measured.score.accuracy], {
                  stroke: `var(--${color})`,
                  strokeWidth: 2,
                  strokeDasharray: '6 4',
                }),
              ];
        const at = { x: 'samples', y: ({ score }: AdaptEvent) => 100 * score.accuracy };
        return {
          marginLeft: 44,
          marginBottom: 40,
          x: {
            type: 'log',
            base: 2,
            domain: [fewest * 0.85, 600],
            ticks: [...SAMPLES],
            tickFormat: String,
            label: 'samples adapted to',
          },
          y: { domain: [0, 100], label: 'accuracy (%)', grid: true },
          marks: [
            Plot.ruleY([0]),
            ...level(clean, 'clean'),
            ...level(source, 'bad'),
            Plot.line(points, { ...at, stroke: 'var(--precise)', strokeWidth: 2.25 }),
            Plot.dot(points, { ...at, fill: 'var(--precise)', r: 4 }),
          ],
        };
      }) satisfies Parameters<typeof Chart>[0]['plot'],
    [points, clean, source],
  );
  return (
    <Chart
      title="Accuracy by samples"
      summary={summarize(points)}
      plot={plot}
      legend={[
        { text: 'Clean', color: 'clean' },
        { text: 'Before', color: 'bad' },
        { text: 'Adapted', color: 'precise' },
      ]}
      ratio={[2, 1]}
    />
  );
}

function summarize(points: readonly AdaptEvent[]): string {
  if (points.length === 0) return 'Not adapted yet.';
  return `${points.map(({ samples, score }) => `${samples} samples: ${percent(score.accuracy)}`).join(', ')}.`;
}
