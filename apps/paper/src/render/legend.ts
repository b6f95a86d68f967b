import * as Plot from '@observablehq/plot';

/**
 * Names beside the plot, in the order of the series: lines that end together would hide labels at their ends. In a plot
 * of facets, beside the topmost.
 */
export function legend(names: readonly string[]): Plot.Markish[] {
  const place = { frameAnchor: 'top-right', facetAnchor: 'top' } as const;
  const entries = names.map((name, i) => ({ name, top: i * 18 }));
  return entries.flatMap(({ name, top }) => [
    Plot.dot([name], { fill: () => name, r: 4, ...place, dx: 16, dy: top + 4 }),
    Plot.text([name], { text: (m) => m, ...place, textAnchor: 'start', dx: 26, dy: top }),
  ]);
}
