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

/**
 * The grid that a weights manifest says a site's values lie on.
 *
 * @param weight such as `moving_variance`; the manifest names it with its layer before it, in whatever model.
 */
export function gridIn(
  specs: readonly QuantizedSpec[],
  site: string,
  weight: 'moving_mean' | 'moving_variance',
): Grid | undefined {
  const wanted = `${site}/${weight}`;
  const spec = specs.find(({ name }) => name === wanted || name.endsWith(`/${wanted}`));
  const { dtype, scale } = spec?.quantization ?? {};
  if ((dtype !== 'uint8' && dtype !== 'uint16') || !(Number.isFinite(scale) && scale! > 0)) return undefined;
  return { dtype, step: scale! };
}

const distanceToLevel = (level: number) => Math.abs(level - Math.round(level));
