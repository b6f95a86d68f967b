// Which samples are normalized together: with their own group, or with strangers.
import { AuditError } from '../errors.ts';
import type { Random } from '../random.ts';
import { indicesByKey, type Keys } from '../samplers/sampler.ts';

/** Indices of samples; each run of the group size is one normalization batch. */
export type Partition = readonly number[];

/**
 * Normalization batches of one group each. What does not fill a normalization batch is left out.
 *
 * @param most how many samples were taken at most.
 * @throws {AuditError} if not even two normalization batches come about, or all are of one group.
 */
export function ownPartition(keys: Keys, size: number, random: Random, most: number): Partition {
  const groups = indicesByKey('auditLeakage', keys);
  const full = groups.filter(({ length }) => length >= size);
  if (full.length < 2) {
    const cut =
      keys.length < most
        ? ''
        : ` Option samples takes the first ${most} of the data alone: raise it, or shuffle data that is sorted by group.`;
    throw new AuditError(
      `auditLeakage: expected at least two groups of ${size} samples or more, got ${full.length} among ${keys.length} ` +
        `samples in ${groups.length} groups. Bring more samples, or use a smaller groupSize.${cut}`,
    );
  }
  return full.flatMap((indices) => {
    const shuffled = random.shuffle(indices.slice());
    return shuffled.slice(0, shuffled.length - (shuffled.length % size));
  });
}

/** The same samples in normalization batches that chance makes. */
export function strangers(own: Partition, random: Random): Partition {
  return random.shuffle(own.slice());
}
