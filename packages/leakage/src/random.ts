// Seeded randomness: the same seed, the same order of samples.
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { mersenne } from 'pure-rand/generator/mersenne';

/** A source of whole numbers. */
export interface Random {
  /** Uniform from 0 to `below` - 1. */
  below(below: number): number;
  /** Shuffles an array in place (Fisher-Yates), and returns it. */
  shuffle<T>(items: T[]): T[];
}

/** @param seed a whole number; only its lower 32 bits count. */
export function seededRandom(seed: number): Random {
  // Its first numbers differ between neighboring seeds as much as between any.
  const generator = mersenne(seed);
  const below = (bound: number) => uniformInt(generator, 0, bound - 1);
  return {
    below,
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [items[i], items[j]] = [items[j]!, items[i]!];
      }
      return items;
    },
  };
}

/** The seed of one of many steps: whoever draws in every step, from the same seed, draws the same again. */
export function stepSeed(seed: number, step: number): number {
  return (Math.imul(seed, 0x9e3779b1) + step) | 0;
}
