// What became of the model on the visitor's digits, in words: which of them depends on the numbers.

import { percent } from '../../ui/percent.ts';

export interface DomainNumbers {
  /** The domain in words, such as `Fog 3`. */
  readonly name: string;
  /** Shares of digits that are read correctly: clean ones, and those of the domain before and after adapting. */
  readonly clean: number;
  readonly before: number;
  /** Undefined while it is not adapted. */
  readonly now: number | undefined;
  /** Digits that it was adapted to last; undefined as `now`. */
  readonly samples: number | undefined;
}

/** A loss of accuracy that is worth a sentence; shares of it that are a repair, and most of one. */
const [LOSS, SOME, MOST] = [0.02, 0.1, 0.8];

/** Undefined until something is measured. */
export function conclusionOf(numbers: DomainNumbers | undefined): string | undefined {
  if (numbers === undefined) return undefined;
  const { name, clean, before, now, samples } = numbers;
  const lost = clean - before;
  const first = `On ${name} the model reads ${percent(before)} correctly, against ${percent(clean)} of clean digits`;
  if (now === undefined || samples === undefined) {
    return lost < LOSS
      ? `${first}: next to nothing to repair. Try another corruption, or a higher severity.`
      : `${first}. Not a single weight has changed; its statistics are for other digits.`;
  }
  const digits = samples === 1 ? '1 unlabelled digit' : `${samples} unlabelled digits`;
  const after = `with statistics adapted to ${digits}, ${percent(now)}`;
  if (lost < LOSS) {
    return now - before < -LOSS
      ? `${first}; ${after}. There was nothing to repair, and adapting did harm.`
      : `${first}; ${after}. There was next to nothing to repair.`;
  }
  const repaired = (now - before) / lost;
  if (repaired >= MOST)
    return `${first}; ${after}. That repairs ${part(repaired)} of the damage, and no weight was changed.`;
  if (repaired >= SOME) {
    return `${first}; ${after}. That repairs ${part(repaired)} of the damage: the rest is not a matter of statistics, or takes more samples.`;
  }
  if (repaired > -SOME) return `${first}; ${after}. Here new statistics repair next to nothing.`;
  return `${first}; ${after}. Adapting did harm: too few samples, or digits of another kind.`;
}

const part = (share: number) => (share >= 0.995 ? 'all' : `${Math.round(100 * share)}%`);
