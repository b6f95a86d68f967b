import { useMemo } from 'preact/hooks';
import { Chart } from '../ui/chart.tsx';
import { ERROR_SERIES, type ErrorPoint, type ThreeErrors } from './errors.ts';

export interface ErrorChartProps {
  readonly points: readonly ErrorPoint[];
  /** Of the whole run. */
  readonly steps: number;
  /** The largest error that is shown, in percent. */
  readonly most: number;
  /** Width by height; default 16 by 9. */
  readonly ratio?: readonly [number, number];
  /** Runs to compare with, drawn faintly. */
  readonly earlier?: readonly { readonly name: string; readonly points: readonly ErrorPoint[] }[];
  /** Steps at which something was changed. */
  readonly marks?: readonly { readonly step: number; readonly text: string }[];
}

/** The three errors over the steps; earlier runs as ghosts behind them. */
export function ErrorChart({
  points,
  steps,
  most,
  ratio = [16, 9],
  earlier = [],
  marks = [],
}: ErrorChartProps) {
  const plot = useMemo(
    () =>
      ((Plot) => ({
        marginLeft: 44,
        marginRight: earlier.length > 0 ? 64 : 20,
        marginTop: 26,
        marginBottom: 38,
        x: { domain: [0, steps], label: 'SGD steps', labelAnchor: 'center' },
        y: { domain: [0, most], label: 'error (%)', grid: true },
        marks: [
          Plot.ruleY([0]),
          ...earlier.flatMap(({ name, points: past }) => [
            ...ERROR_SERIES.map((series) =>
              curve(Plot, past, series, { strokeOpacity: 0.28, strokeWidth: 1.5 }),
            ),
            Plot.text(past.slice(-1), {
              x: 'step',
              y: of('population'),
              text: () => name,
              textAnchor: 'start',
              dx: 6,
              fillOpacity: 0.75,
            }),
          ]),
          Plot.ruleX(marks, { x: 'step', stroke: 'var(--line-strong)', strokeDasharray: '4 3' }),
          Plot.text(marks, { x: 'step', y: most, text: 'text', textAnchor: 'start', dx: 4, dy: -8 }),
          ...ERROR_SERIES.map((series) => curve(Plot, points, series, { strokeWidth: 2.5 })),
        ],
      })) satisfies Parameters<typeof Chart>[0]['plot'],
    [points, steps, most, earlier, marks],
  );
  return (
    <Chart
      title="Error by step"
      summary={summarize(points.at(-1))}
      plot={plot}
      ratio={ratio}
      legend={ERROR_SERIES.map(({ text, color }) => ({ text, color }))}
    />
  );
}

const of =
  (key: keyof ThreeErrors) =>
  ({ errors }: ErrorPoint) =>
    100 * errors[key];

function curve(
  Plot: typeof import('@observablehq/plot'),
  points: readonly ErrorPoint[],
  { key, color }: (typeof ERROR_SERIES)[number],
  style: object,
) {
  return Plot.line(points, { x: 'step', y: of(key), stroke: `var(--${color})`, clip: true, ...style });
}

function summarize(latest: ErrorPoint | undefined): string {
  if (latest === undefined) return 'Nothing measured yet.';
  const parts = ERROR_SERIES.map(
    ({ key, text }) => `${text} ${(100 * latest.errors[key]).toFixed(1)} percent`,
  );
  return `At step ${latest.step}: ${parts.join('; ')}.`;
}
