// Whether two lists of layers are the same layers: statistics of one can then stand in for those of the other.
import type { LayerStatistics } from '@rebatch/models';

/** What the statistics of a layer must agree on with the layer. */
export interface LayerShape {
  readonly name: string;
  readonly channels: number;
}

export function shapeOf({ name, mean }: LayerStatistics): LayerShape {
  return { name, channels: mean.length };
}

/** The first difference in words, `expected ..., got ...`; undefined if there is none. */
export function firstDifference(
  expected: readonly LayerShape[],
  got: readonly LayerShape[],
): string | undefined {
  for (let at = 0; at < Math.max(expected.length, got.length); at++) {
    const [wanted, came] = [expected[at], got[at]];
    if (wanted?.name === came?.name && wanted?.channels === came?.channels) continue;
    return `expected ${describe(wanted)} at position ${at} of ${expected.length}, got ${describe(came)}`;
  }
  return undefined;
}

function describe(shape: LayerShape | undefined): string {
  if (shape === undefined) return 'no more layers';
  return `layer '${shape.name}' with ${shape.channels} channel${shape.channels === 1 ? '' : 's'}`;
}
