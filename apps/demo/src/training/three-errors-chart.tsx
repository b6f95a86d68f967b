import { useMemo } from 'preact/hooks';
import { Chart } from '../ui/chart.tsx';
import { strokeStyle } from './curves.ts';
import { errorScale } from './error-scale.ts';
import { ERROR_SERIES, type ErrorPoint } from './three-errors.ts';

export interface ThreeErrorsChartProps {
  readonly points: readonly ErrorPoint[];
  /** Of the whole run. */
  readonly steps: number;
  /** Width by height; default 16 by 9. */
  readonly ratio?: readonly [number, number];
  /** Runs to compare with, drawn faintly. */
  readonly earlier?: readonly { readonly name: string; readonly points: readonly ErrorPoint[] }[];
  /** Steps at which something was changed. */
  readonly marks?: readonly { readonly step: number; readonly text: string }[];
}

/** The three errors over the steps, and earlier runs faintly behind them. */
export function ThreeErrorsChart({
  points,
  steps,
  ratio = [16, 9],
  earlier = [],
  marks = [],
}: ThreeErrorsChartProps) {
  const plot = useMemo(
    () =>
      ((Plot) => {
        const all = [points, ...earlier.map((run) => run.points)].flat();
        const { axis, at } = errorScale(all.flatMap(({ errors }) => Object.values(errors)));
        const curve = (
          of: readonly ErrorPoint[],
          { key, color }: (typeof ERROR_SERIES)[number],
          style: object,
        ) =>
          Plot.line(of, {
            x: 'step',
            y: ({ errors }: ErrorPoint) => at(errors[key]),
            stroke: `var(--${color})`,
            clip: true,
            ...style,
          });
        return {
          marginLeft: 44,
          marginRight: earlier.length > 0 ? 64 : 20,
          marginTop: 26,
          marginBottom: 38,
          x: { domain: [0, steps], label: 'SGD steps', labelAnchor: 'center' },
          y: { ...axis, label: 'error (%), log scale', grid: true },
          marks: [
            ...earlier.flatMap(({ name, points: past }) => [
              ...ERROR_SERIES.map((series) => curve(past, series, { strokeOpacity: 0.28, strokeWidth: 1.5 })),
              Plot.text(past.slice(-1), {
                x: 'step',
                y: ({ errors }: ErrorPoint) => at(errors.population),
                text: () => name,
                textAnchor: 'start',
                dx: 6,
                fillOpacity: 0.75,
              }),
            ]),
            Plot.ruleX(marks, { x: 'step', stroke: 'var(--line-strong)', strokeDasharray: '4 3' }),
            Plot.text(marks, { x: 'step', y: 100, text: 'text', textAnchor: 'start', dx: 4, dy: -8 }),
            ...ERROR_SERIES.map((series) => curve(points, series, strokeStyle(series.stroke))),
          ],
        };
      }) satisfies Parameters<typeof Chart>[0]['plot'],
    [points, steps, earlier, marks],
  );
  return (
    <Chart
      title="Error by step"
      summary={summarize(points.at(-1))}
      plot={plot}
      ratio={ratio}
      legend={ERROR_SERIES.map(({ text, color, stroke }) => ({ text, color, stroke }))}
    />
  );
}

function summarize(latest: ErrorPoint | undefined): string {
  if (latest === undefined) return 'Nothing measured yet.';
  const parts = ERROR_SERIES.map(
    ({ key, text }) => `${text} ${(100 * latest.errors[key]).toFixed(1)} percent`,
  );
  return `At step ${latest.step}: ${parts.join('; ')}.`;
}
