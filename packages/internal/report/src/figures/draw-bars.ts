import type * as Plot from '@observablehq/plot';
import { conditionsHeight, titles } from './draw-conditions.ts';
import { scale } from './draw-series.ts';
import type { BarsFigure } from './figure.ts';
import type { Look, PlotLibrary } from './look.ts';

/** A bar per condition in each panel, with a dot per seed. On a page the panels are lines below the conditions' names. */
export function drawBars(plot: PlotLibrary, figure: BarsFigure, look: Look): Plot.PlotOptions {
  const { conditions, names, panels, x } = figure;
  const bars = figure.bars.map((bar) => ({
    ...bar,
    mean: bar.values.reduce((sum, value) => sum + value, 0) / bar.values.length,
  }));
  const dots = bars.flatMap(({ values, ...bar }) => values.map((value) => ({ ...bar, value })));
  const place = look.alone ? { fx: 'panel', y: 'condition' } : { fy: 'condition', y: 'panel' };
  // Bars may be about as light as the ink.
  const outline = look.alone ? {} : { stroke: look.paper, strokeWidth: 1 };
  return {
    width: look.width ?? 940,
    height: look.alone ? 300 : conditionsHeight(conditions.length, panels.length, look),
    marginLeft: look.alone ? 330 : 70,
    marginBottom: 44,
    x: { labelAnchor: 'center', ticks: 4, grid: true, ...scale(x) },
    y: {
      label: null,
      domain: look.alone ? [...conditions] : ['', ...panels],
      padding: 0.1,
      ...(look.alone ? {} : { tickSize: 0 }),
    },
    ...(look.alone
      ? { fx: { label: null, domain: [...panels] } }
      : { fy: { label: null, domain: [...conditions], axis: null, padding: 0.1 } }),
    color: look.color(names),
    marks: [
      plot.barX(bars, { ...place, x: 'mean', fill: 'name' }),
      plot.dot(dots, { ...place, x: 'value', r: 2.5, fill: look.ink, ...outline }),
      plot.ruleX([0]),
      ...titles(plot, conditions, look, -62),
    ],
  };
}
