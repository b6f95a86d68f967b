// The colours of the names in the paper's charts: what they mean on the other stations, and shades of that for several
// of a kind.

import type { SeriesColor } from '../../ui/colors.ts';

/** The first that fits. */
const MEANINGS: readonly (readonly [name: RegExp, color: SeriesColor])[] = [
  [/^EMA|^source|strangers|apart|^twitter|on twitter/, 'ema'],
  [/^clean/, 'clean'],
  [/^training/, 'train'],
  [/of one digit|^mixed$/, 'bad'],
  [/^mini-batch|^validation, mini-batch|as trained|together|^not frozen/, 'mini-batch'],
  [/^layerwise|mode layerwise|with prior|^nearest neighbor/, 'layerwise'],
  [/^corrupted, \d+ random$/, 'layerwise'],
];
const OTHERS: SeriesColor = 'precise';

/** One CSS colour per name. */
export function colorsOf(names: readonly string[]): string[] {
  const meanings = names.map((name) => MEANINGS.find(([pattern]) => pattern.test(name))?.[1] ?? OTHERS);
  return meanings.map((meaning, i) => {
    const kin = meanings.flatMap((other, at) => (other === meaning ? [at] : []));
    return shade(`var(--${meaning})`, kin.indexOf(i), kin.length);
  });
}

/** Towards the ink for the first of many, towards the surface for the last. */
function shade(color: string, at: number, of: number): string {
  if (of === 1) return color;
  const [darkest, lightest] = of > 3 ? [45, -50] : [0, -50];
  const share = darkest + ((lightest - darkest) * at) / (of - 1);
  if (share === 0) return color;
  const other = share > 0 ? 'var(--ink)' : 'var(--surface)';
  return `color-mix(in oklab, ${color} ${Math.round(100 - Math.abs(share))}%, ${other})`;
}
