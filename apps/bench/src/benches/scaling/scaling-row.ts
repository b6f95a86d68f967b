// A row of the bench `scaling`: one thing that must cost no more than the work there is, measured at several sizes.

import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../backends.ts';
import type { BenchCase } from '../../bench.ts';
import { exponentOf, type Growth } from '../../growth.ts';
import { type Measurement, type MeasureOptions, measure, type Side } from '../../measure.ts';

/** Both sides at one size. */
export interface Sides {
  readonly ours: Side;
  readonly peer: Side;
  /** Ends what tidying does not: models, threads. Tensors that are made with the sides are disposed by the row. */
  readonly dispose?: () => void | Promise<void>;
}

export interface ScalingRow {
  readonly case: string;
  /** `none` for what needs no tensors. */
  readonly backend: 'wasm' | 'cpu' | 'none';
  /** Whose kernels the cpu backend has: upstream's alone, unless said otherwise. */
  readonly kernels?: 'ours' | 'upstream';
  /** How much work there is, from little to much. */
  readonly sizes: readonly number[];
  /** What the sizes count, such as `samples`. */
  readonly unit: string;
  readonly peer: string;
  /** The ratio (peer / ours) that every size must reach. */
  readonly target: number;
  readonly note?: string;
  readonly options?: MeasureOptions;
  readonly sides: (size: number) => Sides | Promise<Sides>;
}

const DEFAULTS: MeasureOptions = { budgetMs: 1500, pairs: [3, 31] };

/**
 * The row as a case of a bench. Its times and ratio are those of the size where ours does worst against the peer; its
 * exponents tell how the time of either side grows with the size.
 */
export function scalingCase(row: ScalingRow): BenchCase {
  const { sizes, unit, backend, peer, target, note } = row;
  const shape = `${sizes[0]} to ${sizes.at(-1)} ${unit}`;
  return {
    ...{ case: row.case, backend, shape, peer, target },
    ...(note !== undefined && { note }),
    measure: async () => {
      const measured: Measurement[] = [];
      for (const size of sizes) measured.push(await measureSize(row, size));
      return worstOf(sizes, measured);
    },
  };
}

async function measureSize(row: ScalingRow, size: number): Promise<Measurement> {
  if (row.backend !== 'none') await useBackend(row.backend, row.kernels);
  tf.engine().startScope();
  try {
    const { ours, peer, dispose } = await row.sides(size);
    try {
      return await measure(ours, peer, { ...DEFAULTS, ...row.options });
    } finally {
      await dispose?.();
    }
  } finally {
    tf.engine().endScope();
  }
}

/** The measurement of the size with the least ratio, and how times grow over all sizes. */
export function worstOf(
  sizes: readonly number[],
  measured: readonly Measurement[],
): Measurement & { readonly growth: Growth } {
  const worst = measured.reduce((least, next) => (next.ratio < least.ratio ? next : least));
  const growth = {
    exponent: exponentOf(
      sizes,
      measured.map(({ oursMs }) => oursMs),
    ),
    peerExponent: exponentOf(
      sizes,
      measured.map(({ peerMs }) => peerMs),
    ),
  };
  return { ...worst, growth };
}
