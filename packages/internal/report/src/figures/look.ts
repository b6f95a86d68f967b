import type * as Plot from '@observablehq/plot';

/** Observable Plot as it is passed in: a page loads it when it has something to draw. */
export type PlotLibrary = typeof Plot;

/** How figures are drawn somewhere. */
export interface Look {
  /** In pixels; undefined where the kind of figure has a width of its own. */
  readonly width: number | undefined;
  /** What gives the names their colours. */
  color(names: readonly string[]): Plot.ScaleOptions;
  readonly ink: string;
  readonly faint: string;
  readonly frame: string;
  readonly paper: string;
  /**
   * Whether the drawing stands alone: then it has its legend in it, and the conditions' names at its side. On a page
   * the legend is the page's, and the names stand above what they name, because pages can be narrow.
   */
  readonly alone: boolean;
}

/** The committed SVG files: on white, whatever is around them. */
export const FILE: Look = {
  width: undefined,
  color: (domain) => ({ legend: false, scheme: 'observable10', domain }),
  ink: '#1f2328',
  faint: '#8c959f',
  frame: '#e5e7eb',
  paper: 'white',
  alone: true,
};

/**
 * Names beside the plot, in the order of the series: lines that end together would hide labels at their ends. In a plot
 * of facets, beside the topmost.
 */
export function legend(plot: PlotLibrary, names: readonly string[], look: Look): Plot.Markish[] {
  if (!look.alone) return [];
  const place = { frameAnchor: 'top-right', facetAnchor: 'top' } as const;
  const entries = names.map((name, i) => ({ name, top: i * 18 }));
  return entries.flatMap(({ name, top }) => [
    plot.dot([name], { fill: () => name, r: 4, ...place, dx: 16, dy: top + 4 }),
    plot.text([name], { text: (m) => m, ...place, textAnchor: 'start', dx: 26, dy: top }),
  ]);
}

/** A page's width where a look says none: that of the SVG files. */
export const FILE_WIDTH = 860;
