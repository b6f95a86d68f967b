// Batch after batch of the page's digits through the network: what the picture of the start page shows.

import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { loadDigits } from '../data/load-digits.ts';
import { batchOf, type DigitLook, draw, lookAt, type Watched } from './digits.ts';
import { loadNetwork, type PlainNetwork } from './network.ts';

/** Digits to a batch. */
export const SIZES = ['2', '8', '32'] as const;
export type Size = (typeof SIZES)[number];

/** The channel that differs most from digit to digit: the 21st of the last block. */
export const WATCHED: Watched = { block: 2, channel: 20 };

/** How long a batch is in sight, in milliseconds. */
const PACE_MS = 1_100;

export interface Shown {
  readonly network: PlainNetwork;
  readonly pixels: Uint8Array;
  /** The digits that have gone through the network by now. */
  readonly looks: readonly DigitLook[];
}

export function useBatches() {
  const known = useSignal<Shown | undefined>(undefined);
  const failed = useSignal(false);
  const size = useSignal<Size>('2');
  const playing = useSignal(!matchMedia('(prefers-reduced-motion: reduce)').matches);
  const indices = useSignal<readonly number[]>([]);

  const next = () => {
    const count = known.peek()?.looks.length ?? 0;
    if (count > 0) indices.value = draw(count, Number(size.peek()), Math.random);
  };

  useEffect(() => {
    let over = false;
    const load = async () => {
      const [network, { images, size: count }] = await Promise.all([loadNetwork(), loadDigits('few')]);
      const looks: DigitLook[] = [];
      for (let n = 0; n < count && !over; n++) {
        looks.push(lookAt(network, images.subarray(784 * n, 784 * (n + 1)), WATCHED));
        // The first batch as soon as there can be one; the others then find more and more to draw from.
        if (n === 1 || n % 8 === 7) {
          known.value = { network, pixels: images, looks: [...looks] };
          if (n === 1) next();
        }
        // Each in a task of its own: between two of them the page answers.
        await new Promise((resolve) => setTimeout(resolve));
      }
    };
    load().catch(() => {
      failed.value = !over;
    });
    return () => {
      over = true;
    };
  }, []);

  useSignalEffect(() => {
    if (!playing.value) return;
    const timer = setInterval(next, PACE_MS);
    return () => clearInterval(timer);
  });

  const batch = useComputed(() => {
    const { network, looks } = known.value ?? {};
    const chosen = indices.value.flatMap((n) => looks?.[n] ?? []);
    return network === undefined || chosen.length === 0 ? undefined : batchOf(network, chosen);
  });
  /** All digits as one batch. */
  const everything = useComputed(() =>
    known.value === undefined ? undefined : batchOf(known.value.network, known.value.looks),
  );

  return {
    known,
    failed,
    size,
    playing,
    indices,
    batch,
    everything,
    next,
    choose(value: Size) {
      size.value = value;
      next();
    },
  };
}
