// Which batches are alike, decided while they stream by.

/** Of how many sizes batches are remembered for their noise; the size that most have is known only at the end. */
const NOISE_SIZES = 8;

/** What batches can have in common. */
export interface Alike {
  readonly samples: number;
  /** The shape of their samples. */
  readonly signature: string;
}

/** Counts batches by their samples, and among those of as many samples by the shape of these. */
export class Sizes {
  readonly #frequency = new Map<number, number>();
  readonly #shapes = new Map<string, number>();
  /** For each number of samples, the shape that most batches have so far. */
  readonly #commonest = new Map<number, string>();
  #full = 0;

  /** The most frequent number of samples so far; among equally frequent ones, that which was first as frequent. */
  get full(): number {
    return this.#full;
  }

  /** The most frequent shape of samples among batches of that many; undefined before the first. */
  get signature(): string | undefined {
    return this.#commonest.get(this.#full);
  }

  /**
   * Counts a batch.
   *
   * @returns how many of as many samples there have been, this one included; undefined if there are too many sizes to
   *   remember this one.
   */
  add({ samples, signature }: Alike): number | undefined {
    const { size } = this.#frequency;
    const alike = (this.#frequency.get(samples) ?? 0) + 1;
    if (alike === 1 && size >= NOISE_SIZES) return undefined;
    this.#frequency.set(samples, alike);
    if (alike > (this.#frequency.get(this.#full) ?? 0)) this.#full = samples;
    const count = (shape: string) => this.#shapes.get(kindOf({ samples, signature: shape })) ?? 0;
    this.#shapes.set(kindOf({ samples, signature }), count(signature) + 1);
    const commonest = this.#commonest.get(samples);
    if (commonest === undefined || count(signature) > count(commonest))
      this.#commonest.set(samples, signature);
    return alike;
  }

  /** Whether a batch is of the most frequent number of samples and, among those, of the most frequent shape. */
  isCommon({ samples, signature }: Alike): boolean {
    return samples === this.#full && signature === this.signature;
  }
}

/** A name for batches that can be joined. */
export function kindOf({ samples, signature }: Alike): string {
  return `${samples} of ${signature}`;
}
