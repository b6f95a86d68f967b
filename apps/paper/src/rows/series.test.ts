import { expect, test } from 'vitest';
import { renderFigure } from '../report/chart.ts';
import { stackSvg } from '../report/stack.ts';
import { seriesFigure, seriesOf, seriesTable } from './series.ts';

const rows = [
  { seed: 1, name: 'a', size: 2, error: 0.1 },
  { seed: 1, name: 'a', size: 4, error: 0.05 },
  { seed: 1, name: 'b', size: 2, error: 0.3 },
  { seed: 2, name: 'a', size: 2, error: 0.2 },
  { seed: 2, name: 'a', size: 4, error: 0.05 },
];
const points = seriesOf(rows, { series: (r) => r.name, x: (r) => r.size, value: (r) => r.error });

test('rows of several seeds become points', () => {
  expect(points).toEqual([
    { series: 'a', x: 2, values: [0.1, 0.2] },
    { series: 'a', x: 4, values: [0.05, 0.05] },
    { series: 'b', x: 2, values: [0.3] },
  ]);
});

test('a table has mean and spread, and a gap where there is no point', () => {
  expect(seriesTable(points, 'size')).toEqual({
    head: ['size', 'a', 'b'],
    body: [
      ['2', '15.00 ±7.07', '30.00'],
      ['4', '5.00 ±0.00', ''],
    ],
  });
});

test('charts name their series, and can be stacked', () => {
  const options = { x: { label: 'size' }, y: { label: 'error (%)' }, height: 120 };
  const chart = renderFigure(seriesFigure(points, { ...options, dashed: ['b'] }), '0');
  expect(chart).toMatch(/^<svg/);
  expect(chart).toContain('>a</text>');
  expect(chart).toContain('stroke-dasharray');
  const stacked = stackSvg([chart, chart]);
  expect(stacked).toMatch(/^<svg[^>]* width="860" height="240"/);
  expect(stacked.match(/<svg y="(\d+)"/g)).toEqual(['<svg y="0"', '<svg y="120"']);
  expect(() => stackSvg(['<svg/>'])).toThrow(/without/);
});
