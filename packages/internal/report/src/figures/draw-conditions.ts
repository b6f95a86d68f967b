import type * as Plot from '@observablehq/plot';
import { scale } from './draw-series.ts';
import type { ConditionsFigure } from './figure.ts';
import { FILE_WIDTH, type Look, legend, type PlotLibrary } from './look.ts';

/** Stands for the place of a condition's name, above its measures. */
const TITLE = '';

/** A band per condition; in it a dot per measure at the mean, with a bar of one standard deviation either way. */
export function drawConditions(
  plot: PlotLibrary,
  { conditions, names, points, x }: ConditionsFigure,
  look: Look,
): Plot.PlotOptions {
  const place = { y: 'measure', fy: 'condition' } as const;
  const side = look.alone ? 150 : 8;
  return {
    width: look.width ?? FILE_WIDTH,
    height: conditionsHeight(conditions.length, names.length, look),
    marginLeft: side,
    marginBottom: 44,
    marginRight: look.alone ? 220 : 12,
    inset: 4,
    x: { grid: true, labelAnchor: 'center', ...scale(x) },
    y: { axis: null, domain: look.alone ? [...names] : [TITLE, ...names] },
    fy: {
      label: null,
      domain: [...conditions],
      padding: 0.15,
      ...(look.alone ? {} : { axis: null }),
    },
    color: look.color(names),
    facet: { marginLeft: side },
    marks: [
      plot.frame({ stroke: look.frame }),
      ...titles(plot, conditions, look),
      plot.ruleY(points, { ...place, x1: 'low', x2: 'high', stroke: 'measure', strokeWidth: 1.2 }),
      plot.dot(points, { ...place, x: 'value', fill: 'measure', r: 3.5 }),
      ...legend(plot, names, look),
    ],
  };
}

/** In pixels. */
export function conditionsHeight(
  conditions: number,
  measures: number,
  { alone }: Pick<Look, 'alone'>,
): number {
  return 60 + conditions * (12 + 14 * (alone ? measures : measures + 1.5));
}

/** Of a condition's name on a page: small enough for a long one on a narrow page. */
export function titleStyle({ width = FILE_WIDTH, ink }: Look) {
  return { fill: ink, ...(width < 420 ? { fontSize: 10, fontWeight: 500 } : { fontWeight: 600 }) };
}

/** The conditions' names in the first line of their bands. */
export function titles(plot: PlotLibrary, conditions: readonly string[], look: Look, dx = 6): Plot.Markish[] {
  if (look.alone) return [];
  return [
    plot.text(conditions, {
      fy: (condition: string) => condition,
      y: () => TITLE,
      text: (condition: string) => condition,
      frameAnchor: 'left',
      textAnchor: 'start',
      dx,
      ...titleStyle(look),
    }),
  ];
}
