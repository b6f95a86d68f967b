import { useMemo } from 'preact/hooks';
import { strokeStyle } from '../../training/curves.ts';
import { errorScale } from '../../training/error-scale.ts';
import { ERROR_SERIES } from '../../training/three-errors.ts';
import { Chart } from '../../ui/chart.tsx';
import type { SizeDot } from './runs.ts';
import { SIZES } from './settings.ts';

/** Told apart without their colours, and where they lie on each other. */
const SYMBOLS = { training: 'square', miniBatch: 'circle', population: 'triangle' } as const;

/** The errors over the normalization batch sizes that were tried. */
export function SizeChart({ dots }: { readonly dots: readonly SizeDot[] }) {
  const plot = useMemo(
    () =>
      ((Plot) => {
        const { axis, at } = errorScale(dots.map(({ error }) => error / 100));
        return {
          marginLeft: 44,
          marginBottom: 40,
          x: { type: 'point', domain: [...SIZES], label: 'digits normalized together', padding: 0.5 },
          y: { ...axis, label: 'error (%), log scale', grid: true },
          marks: ERROR_SERIES.flatMap(({ key, color, stroke: how }) => {
            const own = dots.filter((dot) => dot.key === key).sort((a, b) => a.size - b.size);
            const stroke = `var(--${color})`;
            const place = { x: 'size', y: ({ error }: SizeDot) => at(error / 100), symbol: SYMBOLS[key] };
            const { symbol: _, ...line } = place;
            return [
              Plot.line(
                own.filter(({ frozen, done }) => done && !frozen),
                { ...line, stroke, ...strokeStyle(how) },
              ),
              Plot.dot(
                own.filter(({ frozen }) => !frozen),
                { ...place, fill: stroke, r: 5 },
              ),
              Plot.dot(
                own.filter(({ frozen }) => frozen),
                { ...place, stroke, fill: 'var(--surface)', strokeWidth: 2, r: 6 },
              ),
            ];
          }),
        };
      }) satisfies Parameters<typeof Chart>[0]['plot'],
    [dots],
  );
  return (
    <Chart
      title="Error by normalization batch"
      summary={summarize(dots)}
      plot={plot}
      legend={ERROR_SERIES.map(({ text, color, stroke }) => ({ text, color, stroke }))}
      height={300}
    />
  );
}

function summarize(dots: readonly SizeDot[]): string {
  if (dots.length === 0) return 'Nothing tried yet.';
  return dots
    .filter(({ key }) => key === 'population')
    .map(({ size, error, frozen }) => {
      const miniBatch = dots.find(
        (dot) => dot.key === 'miniBatch' && dot.size === size && dot.frozen === frozen,
      );
      return `${size}${frozen ? ' frozen' : ''}: mini-batch ${miniBatch?.error.toFixed(1)} percent, population ${error.toFixed(1)} percent.`;
    })
    .join(' ');
}
