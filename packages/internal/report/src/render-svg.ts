import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';

/** Draws a plot without a browser and returns it as a standalone SVG file. */
export function renderSvg(options: Plot.PlotOptions): string {
  const { document } = new JSDOM('').window;
  const figure = Plot.plot({
    ...options,
    document,
    figure: false,
    style: { background: 'white', color: '#1f2328', fontFamily: 'system-ui, sans-serif', fontSize: '12px' },
  });
  const svg = figure.tagName.toLowerCase() === 'svg' ? figure : figure.querySelector('svg');
  if (svg === null) throw new Error('the plot has no SVG');
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('xmlns:xlink', 'http://www.w3.org/1999/xlink');
  return `${svg.outerHTML}\n`;
}
