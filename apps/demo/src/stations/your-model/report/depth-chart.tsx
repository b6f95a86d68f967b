import type { LayerInspection } from '@rebatch/inspect';
import { useMemo } from 'preact/hooks';
import { Chart } from '../../../ui/chart.tsx';
import type { SeriesColor } from '../../../ui/colors.ts';
import { MEAN_SHIFT } from './limits.ts';
import { short } from './numbers.ts';

const SERIES: readonly {
  readonly text: string;
  readonly color: SeriesColor;
  readonly read: (layer: LayerInspection) => number | undefined;
}[] = [
  { text: 'Stored off by', color: 'ema', read: ({ shift }) => shift?.mean.rms },
  { text: 'Drifted by', color: 'ema', read: ({ drift }) => drift?.mean.rms },
  { text: 'Batch noise', color: 'mini-batch', read: ({ noise }) => noise?.mean },
  { text: 'Added by depth', color: 'layerwise', read: ({ estimationShift }) => estimationShift?.mean.rms },
];

/** Shift, noise and estimation shift of the means over the depth of the model. */
export function DepthChart({ layers }: { readonly layers: readonly LayerInspection[] }) {
  const plot = useMemo(
    () =>
      ((Plot) => {
        const points = SERIES.flatMap(({ text, color, read }) =>
          layers.flatMap((layer) => {
            const value = read(layer);
            return value === undefined ? [] : [{ text, color, layer: layer.depth + 1, value }];
          }),
        );
        return {
          marginLeft: 48,
          marginBottom: 44,
          x: {
            domain: [0.5, layers.length + 0.5],
            ticks: Math.min(layers.length, 12),
            tickFormat: 'd',
            labelAnchor: 'center',
            label: 'batch normalization layer, first to last',
          },
          y: { label: 'standard deviations', grid: true, zero: true, nice: true },
          marks: [
            Plot.ruleY([0]),
            Plot.ruleY([MEAN_SHIFT], { stroke: 'var(--line-strong)', strokeDasharray: '4 4' }),
            Plot.line(points, {
              x: 'layer',
              y: 'value',
              z: 'text',
              stroke: ({ color }) => `var(--${color})`,
              strokeWidth: 2.25,
            }),
            Plot.dot(points, { x: 'layer', y: 'value', fill: ({ color }) => `var(--${color})`, r: 3.5 }),
          ],
        };
      }) satisfies Parameters<typeof Chart>[0]['plot'],
    [layers],
  );
  return (
    <Chart
      title="The means, layer by layer"
      summary={summarize(layers)}
      plot={plot}
      legend={SERIES.filter(({ read }) => layers.some((layer) => read(layer) !== undefined)).map(
        ({ text, color }) => ({ text, color }),
      )}
      height={280}
    />
  );
}

function summarize(layers: readonly LayerInspection[]): string {
  const parts = SERIES.flatMap(({ text, read }) => {
    const values = layers.flatMap((layer) => read(layer) ?? []);
    return values.length === 0 ? [] : [`${text} at most ${short(Math.max(...values))}`];
  });
  return `${layers.length} layers. ${parts.join(', ')} standard deviations.`;
}
