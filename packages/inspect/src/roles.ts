// Which batch is used for what: decided while they stream by, spread over the data, and the same for the same seed.

/** Batches in one round; with labels, one of each round is held out. */
export const ROUND = 6;

/** What is to be decided of a batch. */
export interface Choice {
  readonly heldOut: boolean;
  readonly pooled: boolean;
}

/**
 * Chooses of each round of six batches one to hold out (with labels), and of the others one to measure layer by
 * layer, or two where no forwards go into errors. A held-out batch costs three more forwards and the other one more,
 * and `inspect` is to cost at most 2.5 forwards per batch in all. The first round's held-out batch is its second or third, so that
 * three batches are enough.
 */
export function chooser(seed: number): (index: number, labels: boolean) => Choice {
  const random = uniform(seed);
  let order: number[] = [];
  return (index, labels) => {
    const place = index % ROUND;
    if (place === 0) {
      order = shuffled(random);
      if (index === 0) {
        const early = random() < 0.5 ? 1 : 2;
        order = [early, ...order.filter((other) => other !== early)];
      }
    }
    const rank = order.indexOf(place);
    return labels ? { heldOut: rank === 0, pooled: rank === 1 } : { heldOut: false, pooled: rank < 2 };
  };
}

function shuffled(random: () => number): number[] {
  const order = Array.from({ length: ROUND }, (_, i) => i);
  for (let i = ROUND - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Splitmix32 (Steele, Lea & Flood 2014): a 32-bit counter, mixed. */
function uniform(seed: number): () => number {
  let state = (seed % 2 ** 32) | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
