import * as Plot from '@observablehq/plot';
import { renderSvg } from '@rebatch/report';
import { drawFigure, FILE, type Figure } from '@rebatch/report/figures';
import type { Experiment, Result } from '../experiment.ts';
import { stackSvg } from './stack.ts';

/** The figures of a result, below one another, as one SVG file. */
export function renderChart<Row>(
  { figures }: Pick<Experiment<Row>, 'figures'>,
  { section, rows }: Pick<Result<Row>, 'section' | 'rows'>,
): string {
  const charts = figures(rows).map((figure) => renderFigure(figure, section));
  return charts.length === 1 ? charts[0]! : stackSvg(charts);
}

/** One figure as a standalone SVG file. */
export function renderFigure(figure: Figure, section: string): string {
  const ariaLabel = [`Sec. ${section}`, ...(figure.title ? [figure.title] : [])].join(': ');
  return renderSvg({ ariaLabel, ...drawFigure(Plot, figure, FILE) });
}
