// Values that were stored in few bits lie on a uniform grid: least + k * step, with k from 0 to 255 or 65535.

/** The grid that a weight's values lie on. */
export interface Grid {
  readonly dtype: 'uint8' | 'uint16';
  readonly step: number;
}

/** An entry of a weights manifest, as far as it says how the weight was quantized. */
export interface QuantizedSpec {
  readonly name: string;
  readonly quantization?: { readonly dtype: string; readonly scale?: number; readonly min?: number };
}

const LEVELS = { uint8: 255, uint16: 65535 } as const;
/** How likely unquantized values may be to lie on a grid all the same, before it is taken for one. */
const CHANCE = 1e-6;

/**
 * The grid that the values themselves show. The least and the largest value lie on the first and the last level, or one
 * beside them where a converter moved the grid to have a 0. All others must then lie on levels, as far as float32 tells:
 * few of many values are enough that chance is no explanation.
 *
 * @param suspected how other weights of the model were quantized: then it is enough that nothing speaks against it.
 * @returns undefined where they do not, or where too few different values would show it.
 */
export function findGrid(values: ArrayLike<number>, suspected?: Grid['dtype']): Grid | undefined {
  const distinct = [...new Set(Array.from(values))].sort((a, b) => a - b);
  const [least, largest] = [distinct[0]!, distinct.at(-1)!];
  const range = largest - least;
  if (!(range > 0) || !Number.isFinite(range)) return undefined;
  const inner = distinct.slice(1, -1);
  for (const dtype of ['uint8', 'uint16'] as const) {
    for (let levels = LEVELS[dtype]; levels > LEVELS[dtype] - 3; levels--) {
      const step = range / levels;
      // Each value, and both ends of the range, are rounded to 24 bits.
      const tolerance = (2 ** -22 * Math.max(Math.abs(least), Math.abs(largest))) / step;
      if (dtype !== suspected && 3 * (2 * tolerance) ** inner.length > CHANCE) continue;
      if (inner.every((value) => distanceToLevel((value - least) / step) <= tolerance))
        return { dtype, step };
    }
  }
  return undefined;
}

/** What a manifest says of one site's weight. */
interface Entry {
  /** Whether it has the very name of the site, and nothing before it. */
  readonly isExact: boolean;
  readonly grid: Grid | undefined;
}

/**
 * The grids that a weights manifest says the values of each site lie on. A manifest may have names of models before that of
 * a layer: an entry is of the site with the longest name that fits. Where several sites have one name, the first entry is
 * the first site's, as manifests have weights in the model's order.
 *
 * @param sites their names, in the model's order.
 * @param weight such as `moving_variance`, which manifests have after the layer's name.
 * @returns undefined for a site of which the manifest says none, or leaves open which.
 */
export function gridsIn(
  specs: readonly QuantizedSpec[],
  sites: readonly string[],
  weight: 'moving_mean' | 'moving_variance',
): (Grid | undefined)[] {
  const counts = new Map<string, number>();
  for (const name of sites) counts.set(name, (counts.get(name) ?? 0) + 1);
  const entries = new Map<string, Entry[]>([...counts.keys()].map((name) => [name, []]));
  for (const { name, quantization } of specs) {
    const parts = name.split('/');
    if (parts.pop() !== weight) continue;
    // The longest first: the whole, then without its first part, and so on.
    const from = parts.findIndex((_, at) => counts.has(parts.slice(at).join('/')));
    if (from < 0) continue;
    const site = parts.slice(from).join('/');
    entries.get(site)!.push({ isExact: from === 0, grid: gridOf(quantization) });
  }
  const grids = new Map([...entries].map(([name, own]) => [name, inOrder(own, counts.get(name)!)]));
  return sites.map((name) => grids.get(name)!.shift());
}

/** The grids of so many sites of one name; none where it cannot be told which is whose. */
function inOrder(entries: readonly Entry[], sites: number): (Grid | undefined)[] {
  const own = [entries.filter(({ isExact }) => isExact), entries].find(({ length }) => length === sites);
  if (own !== undefined) return own.map(({ grid }) => grid);
  // Each of several models that share a layer may list it: that is certain, too, if all of them say the same.
  const [first] = entries;
  const alike = entries.every(
    ({ grid }) => grid?.dtype === first?.grid?.dtype && grid?.step === first?.grid?.step,
  );
  return entries.length > sites && alike ? Array.from({ length: sites }, () => first?.grid) : [];
}

function gridOf(quantization: QuantizedSpec['quantization']): Grid | undefined {
  const { dtype, scale } = quantization ?? {};
  if ((dtype !== 'uint8' && dtype !== 'uint16') || !(Number.isFinite(scale) && scale! > 0)) return undefined;
  return { dtype, step: scale! };
}

const distanceToLevel = (level: number) => Math.abs(level - Math.round(level));
