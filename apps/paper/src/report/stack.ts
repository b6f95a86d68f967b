/** Puts SVG files below one another in one. */
export function stackSvg(charts: readonly string[]): string {
  const sizes = charts.map((chart) => ({ width: size(chart, 'width'), height: size(chart, 'height') }));
  const width = Math.max(...sizes.map((s) => s.width));
  const tops = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, s) => sum + s.height, 0));
  const height = sizes.reduce((sum, s) => sum + s.height, 0);
  const parts = charts.map((chart, i) => chart.trim().replace(/^<svg/, `<svg y="${tops[i]}"`));
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`;
  return `${[open, ...parts, '</svg>'].join('\n')}\n`;
}

function size(svg: string, side: 'width' | 'height'): number {
  const value = Number(/^<svg[^>]*>/.exec(svg)?.[0].match(new RegExp(`\\s${side}="([\\d.]+)"`))?.[1]);
  if (!(value > 0)) throw new Error(`stackSvg: a chart without ${side}`);
  return value;
}
