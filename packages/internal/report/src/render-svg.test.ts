import * as Plot from '@observablehq/plot';
import { expect, test } from 'vitest';
import { renderSvg } from './render-svg.ts';

test('a plot is a standalone SVG file, also where it has a title and a legend around it', () => {
  const marks = [Plot.dot([{ at: 1, kind: 'a' }], { x: 'at', fill: 'kind' })];
  for (const options of [{ marks }, { marks, title: 'Title', color: { legend: true } }]) {
    const svg = renderSvg(options);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>\n$/);
    expect(svg).toContain('<circle');
  }
});
