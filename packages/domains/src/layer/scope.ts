// Which domain is at hand, for layers that take it from the scope they are called in.
import * as tf from '@tensorflow/tfjs-core';
import { DomainError } from '../errors.ts';

/** The name of a domain, or for each sample of a batch the number of its domain, in the order of the layer's domains. */
export type DomainInScope = string | tf.Tensor1D;

const scopes: { readonly domain: DomainInScope }[] = [];

/** The domain of the innermost scope. */
export function domainInScope(): DomainInScope | undefined {
  return scopes.at(-1)?.domain;
}

/**
 * Runs `fn`; until it returns (or its promise settles), all layers that take their domain from the scope
 * (`domainBatchNormalization` with `from: 'scope'`) are in this domain: in training, inference, and under every tool that
 * runs the model (`recalibrate`, `captureStatistics`' counterparts, `fit`, `evaluate`). Scopes nest, and the innermost
 * holds; where asynchronous ones overlap, the one entered last.
 *
 * @param domain the name of a domain; or an int32 tensor [samples] with the number of each sample's domain, for one batch
 *   that mixes them. `predict` cuts its input into batches of 32: use `predictOnBatch` with such a tensor.
 * @param fn synchronous or asynchronous. A generator outlives the scope; consume it inside.
 * @returns what `fn` returns.
 * @throws {DomainError} if `domain` is neither; nothing has run then. What `fn` throws: a layer that does not have the
 *   domain throws {UnknownDomainError}, which lists those that it has.
 */
export function withDomain<T>(domain: DomainInScope, fn: () => T): T {
  if (typeof domain !== 'string' && !(domain instanceof tf.Tensor && domain.rank === 1)) {
    const came =
      domain instanceof tf.Tensor ? `a tensor of shape [${(domain as tf.Tensor).shape}]` : String(domain);
    throw new DomainError(
      `withDomain: expected the name of a domain, or a tensor [samples] of the numbers of domains, got ${came}.`,
    );
  }
  const scope = { domain };
  scopes.push(scope);
  const leave = () => void scopes.splice(scopes.indexOf(scope), 1);
  let result: T;
  try {
    result = fn();
  } catch (error) {
    leave();
    throw error;
  }
  if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function') {
    return Promise.resolve(result).finally(leave) as T;
  }
  leave();
  return result;
}
