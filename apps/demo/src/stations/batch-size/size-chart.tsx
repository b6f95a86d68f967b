import { useMemo } from 'preact/hooks';
import { ERROR_SERIES } from '../../three-errors/errors.ts';
import { Chart } from '../../ui/chart.tsx';
import type { SizeDot } from './runs.ts';
import { SIZES } from './settings.ts';

/** The errors over the normalization batch sizes that were tried. */
export function SizeChart({ dots }: { readonly dots: readonly SizeDot[] }) {
  const plot = useMemo(
    () =>
      ((Plot) => ({
        marginLeft: 44,
        marginBottom: 40,
        x: { type: 'point', domain: [...SIZES], label: 'digits normalized together', padding: 0.5 },
        y: {
          domain: [0, Math.max(30, ...dots.map(({ error }) => 5 + error))],
          label: 'error (%)',
          grid: true,
        },
        marks: [
          Plot.ruleY([0]),
          ...ERROR_SERIES.flatMap(({ key, color }) => {
            const own = dots.filter((dot) => dot.key === key).sort((a, b) => a.size - b.size);
            const stroke = `var(--${color})`;
            const at = { x: 'size', y: 'error' };
            return [
              Plot.line(
                own.filter(({ frozen, done }) => done && !frozen),
                { ...at, stroke, strokeWidth: 2 },
              ),
              Plot.dot(
                own.filter(({ frozen }) => !frozen),
                { ...at, fill: stroke, r: 5 },
              ),
              Plot.dot(
                own.filter(({ frozen }) => frozen),
                { ...at, symbol: 'diamond', stroke, fill: 'var(--surface)', strokeWidth: 2, r: 6 },
              ),
            ];
          }),
        ],
      })) satisfies Parameters<typeof Chart>[0]['plot'],
    [dots],
  );
  return (
    <Chart
      title="Error by normalization batch"
      summary={summarize(dots)}
      plot={plot}
      legend={ERROR_SERIES.map(({ text, color }) => ({ text, color }))}
      ratio={[16, 8]}
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
