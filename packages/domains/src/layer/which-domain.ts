// From what names a domain to its number, or an error that lists those that there are.
import * as tf from '@tensorflow/tfjs-core';
import { UnknownDomainError } from '../errors.ts';

/** The number of a domain by its name. */
export function numberOf(layer: string, domains: readonly string[], name: string | undefined): number {
  const number = domains.indexOf(name as string);
  if (number >= 0) return number;
  const came = name === undefined ? 'none' : `'${name}'`;
  throw new UnknownDomainError(
    `Layer '${layer}': expected one of its domains (${domains.join(', ')}) at hand, got ${came}. ` +
      'Run the model inside withDomain(name, () => ...).',
  );
}

/** Whether values can be looked at in the middle of a forward. Elsewhere that would stall the device. */
export function canLook(): boolean {
  return ['cpu', 'wasm'].includes(tf.getBackend());
}

/** The numbers of the samples' domains as [samples] int32, checked where they can be looked at. */
export function numbersOf(
  layer: string,
  domains: readonly string[],
  ids: tf.Tensor,
  samples: number,
): tf.Tensor1D {
  const listed = domains.map((name, i) => `${i} ${name}`).join(', ');
  const expected = `Layer '${layer}': expected the number of a domain (${listed}) for each of ${samples} samples`;
  if (ids.size !== samples || ids.rank > 2 || ids.shape[0] !== samples) {
    throw new UnknownDomainError(`${expected}, got numbers of shape [${ids.shape.join(', ')}].`);
  }
  if (canLook()) {
    const values = ids.dataSync();
    const sample = values.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < domains.length));
    if (sample >= 0) throw new UnknownDomainError(`${expected}, got ${values[sample]} for sample ${sample}.`);
  }
  return tf.cast(tf.reshape(ids, [samples]), 'int32');
}
