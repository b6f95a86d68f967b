// From what names a domain to its number, or an error that lists those that there are.
import { readsWithoutStalling } from '@rebatch/core/~internal';
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { UnknownDomainError } from '../errors.ts';
import type { ResolvedSettings } from './config.ts';

/** The name of a domain as messages have it; anything else in words. */
export function named(domain: unknown): string {
  return typeof domain === 'string' ? `'${domain}'` : shown(domain);
}

/** The number of a domain by its name. */
export function numberOf(
  layer: string,
  { domains, numbers }: ResolvedSettings,
  name: string | undefined,
): number {
  const number = name === undefined ? undefined : numbers.get(name);
  if (number !== undefined) return number;
  const came = name === undefined ? 'none' : `'${name}'`;
  throw new UnknownDomainError(
    `Layer '${layer}': expected one of its domains (${domains.join(', ')}) at hand, got ${came}. ` +
      'Run the model inside withDomain(model, name, () => ...).',
  );
}

/** The numbers of the samples' domains as [samples] int32, checked where they can be looked at. */
export function numbersOf(
  layer: string,
  { domains }: ResolvedSettings,
  ids: tf.Tensor,
  samples: number,
): tf.Tensor1D {
  const refuse = (came: string): never => {
    const listed = domains.map((name, i) => `${i} ${name}`).join(', ');
    throw new UnknownDomainError(
      `Layer '${layer}': expected the number of a domain (${listed}) for each of ${samples} samples, got ${came}.`,
    );
  };
  if (ids.size !== samples || ids.rank > 2 || ids.shape[0] !== samples) {
    refuse(`numbers of shape [${ids.shape.join(', ')}]`);
  }
  if (readsWithoutStalling()) {
    const values = ids.dataSync();
    const sample = values.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < domains.length));
    if (sample >= 0) refuse(`${values[sample]} for sample ${sample}`);
  }
  return tf.cast(tf.reshape(ids, [samples]), 'int32');
}
