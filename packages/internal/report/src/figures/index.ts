// Charts as plain data, and how they are drawn. Runs in browsers, too: Observable Plot is passed in.

import type * as Plot from '@observablehq/plot';
import { drawBars } from './draw-bars.ts';
import { conditionsHeight, drawConditions } from './draw-conditions.ts';
import { dotsHeight, drawDots } from './draw-dots.ts';
import { drawSeries } from './draw-series.ts';
import type { Figure } from './figure.ts';
import type { Look, PlotLibrary } from './look.ts';

export type { Axis, BarsFigure, ConditionsFigure, DotsFigure, Figure, SeriesFigure } from './figure.ts';
export { FILE, type Look, type PlotLibrary } from './look.ts';

/** A figure as options of Observable Plot. */
export function drawFigure(plot: PlotLibrary, figure: Figure, look: Look): Plot.PlotOptions {
  switch (figure.kind) {
    case 'series':
      return drawSeries(plot, figure, look);
    case 'conditions':
      return drawConditions(plot, figure, look);
    case 'dots':
      return drawDots(plot, figure, look);
    case 'bars':
      return drawBars(plot, figure, look);
  }
}

/** How high a figure is on a page, in pixels; undefined where any height will do. */
export function pageHeight(figure: Figure): number | undefined {
  const page = { alone: false };
  switch (figure.kind) {
    case 'series':
      return undefined;
    case 'conditions':
      return conditionsHeight(figure.conditions.length, figure.names.length, page);
    case 'dots':
      return dotsHeight(figure.conditions.length);
    case 'bars':
      return conditionsHeight(figure.conditions.length, figure.panels.length, page);
  }
}
