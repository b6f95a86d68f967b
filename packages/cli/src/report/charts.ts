// Charts of a page, drawn by Observable Plot. Both libraries are loaded when the first chart is drawn.
import type { MomentsSummary } from '@rebatch/recalibrate';

export interface Chart {
  readonly title: string;
  /** What its colors stand for. */
  readonly legend: readonly { readonly color: string; readonly of: string }[];
  readonly svg: string;
}

/** Layers that are drawn; of deeper models, the ones that moved most. */
const MOST_LAYERS = 60;
const MEANS = { of: 'means, in standard deviations', color: '#4269d0' };
const VARIANCES = { of: 'variances, as a difference of logarithms', color: '#e0522f' };
const LEGEND = [MEANS, VARIANCES];

/** How far each layer moved: a dot for its means and one for its variances, in the model's order. */
export async function shiftChart(
  title: string,
  layers: readonly { readonly name: string; readonly shift: MomentsSummary }[],
): Promise<Chart> {
  const [Plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
  const size = ({ shift }: (typeof layers)[number]) => Math.max(shift.mean.rms, shift.variance.rms);
  const kept = new Set([...layers].sort((a, b) => size(b) - size(a)).slice(0, MOST_LAYERS));
  const shown = layers.filter((layer) => kept.has(layer));
  const points = shown.flatMap(({ name, shift }) => [
    { name, of: MEANS.of, value: shift.mean.rms },
    { name, of: VARIANCES.of, value: shift.variance.rms },
  ]);
  const longest = Math.max(4, ...shown.map(({ name }) => name.length));
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const plot = Plot.plot({
    document: document as unknown as Document,
    figure: false,
    width: 860,
    height: 60 + 22 * shown.length,
    marginLeft: Math.min(320, 20 + 7 * longest),
    marginBottom: 40,
    x: { label: 'shift', labelAnchor: 'center', grid: true, zero: true, nice: true },
    y: { label: null, domain: shown.map(({ name }) => name), type: 'point' },
    color: { legend: false, domain: LEGEND.map(({ of }) => of), range: LEGEND.map(({ color }) => color) },
    style: { fontFamily: 'system-ui, sans-serif', fontSize: '12px' },
    marks: [Plot.ruleX([0]), Plot.dot(points, { x: 'value', y: 'name', fill: 'of', r: 4 })],
    marginTop: 10,
  });
  const left = layers.length - shown.length;
  return {
    title: left > 0 ? `${title} (the ${MOST_LAYERS} layers of ${layers.length} that moved most)` : title,
    legend: LEGEND,
    svg: (plot as unknown as { outerHTML: string }).outerHTML,
  };
}
