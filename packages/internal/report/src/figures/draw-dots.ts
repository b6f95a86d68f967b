import type * as Plot from '@observablehq/plot';
import { titleStyle } from './draw-conditions.ts';
import { scale } from './draw-series.ts';
import type { DotsFigure } from './figure.ts';
import { FILE_WIDTH, type Look, legend, type PlotLibrary } from './look.ts';

/** Pixels per condition on a page: its name, and its dots. */
const LINE = 44;

/** A line per condition; on it a dot per name, with its spread or joined to another one. */
export function drawDots(
  plot: PlotLibrary,
  { conditions, names, points, links, x, file }: DotsFigure,
  look: Look,
): Plot.PlotOptions {
  const hasSpread = points.some(({ low }) => low !== undefined);
  const below = look.alone ? 0 : 6;
  return {
    width: look.width ?? FILE_WIDTH,
    height: look.alone ? file.height : dotsHeight(conditions.length),
    marginLeft: look.alone ? file.marginLeft : 8,
    marginRight: look.alone ? 190 : 12,
    marginBottom: 44,
    inset: 8,
    x: { labelAnchor: 'center', grid: true, ...scale(x) },
    y: {
      label: null,
      domain: [...conditions],
      ...(hasSpread || !look.alone ? { type: 'point', padding: 0.5 } : {}),
      ...(look.alone ? {} : { axis: null }),
    },
    color: look.color(names),
    marks: [
      ...(look.alone
        ? []
        : [
            plot.text(conditions, {
              y: (condition: string) => condition,
              text: (condition: string) => condition,
              frameAnchor: 'left',
              textAnchor: 'start',
              dy: -12,
              dx: -4,
              ...titleStyle(look),
            }),
          ]),
      plot.ruleY(links, { y: 'condition', x1: 'x1', x2: 'x2', stroke: look.faint, dy: below }),
      ...(hasSpread
        ? names.map((name, i) => {
            // One above the other, so that their bars do not hide one another.
            const own = { dy: 10 * i - 5 + below };
            const of = points.filter((point) => point.name === name);
            return [
              plot.ruleY(of, {
                y: 'condition',
                x1: 'low',
                x2: 'high',
                stroke: 'name',
                strokeWidth: 1.2,
                ...own,
              }),
              plot.dot(of, { y: 'condition', x: 'value', fill: 'name', r: 3.5, ...own }),
            ];
          })
        : [plot.dot(points, { x: 'value', y: 'condition', fill: 'name', r: 4, dy: below })]),
      ...legend(plot, names, look),
    ],
  };
}

/** In pixels, on a page. */
export const dotsHeight = (conditions: number) => 60 + LINE * conditions;
