// Which domain is at hand, for layers that take it from the scope they are called in.
import { checkLayer, createScopes, layersIn } from '@rebatch/layers/~internal';
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { DomainError } from '../errors.ts';

/** The name of a domain, or for each sample of a batch the number of its domain, in the order of the layer's domains. */
export type DomainInScope = string | tf.Tensor1D;

const scopes = createScopes<DomainInScope>({
  whenUnclear(layer, waiting) {
    const names = waiting.map((domain) => (typeof domain === 'string' ? `'${domain}'` : 'numbers'));
    throw new DomainError(
      `Layer '${(layer as tfl.layers.Layer).name}': expected one domain at hand, but asynchronous scopes of ${names.join(' and ')} ` +
        'overlap, and this platform does not tell which of them is running. Await one withDomain before the next begins, ' +
        'or nest only synchronous ones.',
    );
  },
});

/** The domain of the innermost scope that a layer is in. */
export function domainInScope(layer: object): DomainInScope | undefined {
  return scopes.innermost(layer);
}

/**
 * Runs `fn`; until it returns (or its promise settles), the layers of the model that take their domain from the scope
 * (`domainBatchNormalization` with `from: 'scope'`) are in this domain: in training, inference, and under every tool that
 * runs the model (`recalibrate`, `captureStatistics`' counterparts, `fit`, `evaluate`). Scopes nest, and the innermost
 * holds. Asynchronous ones that overlap are kept apart in Node, Bun and Deno; in browsers, where nothing tells them apart,
 * a model that runs in two of them throws.
 *
 * @param model a model, or a single layer; nested models and wrapped layers are included.
 * @param domain the name of a domain; or an int32 tensor [samples] with the number of each sample's domain, for one batch
 *   that mixes them. `predict` cuts its input into batches of 32: use `predictOnBatch` with such a tensor.
 * @param fn synchronous or asynchronous. A generator outlives the scope; consume it inside.
 * @returns what `fn` returns.
 * @throws {NotAModelError} for anything that is no model; {DomainError} if `domain` is neither, or no layer of the model
 *   takes its domain from a scope; nothing has run then. What `fn` throws: a layer that does not have the domain throws
 *   {UnknownDomainError}, which lists those that it has.
 */
export function withDomain<T>(model: tfl.layers.Layer, domain: DomainInScope, fn: () => T): T {
  checkLayer('withDomain', model);
  if (typeof domain !== 'string' && !(domain instanceof tf.Tensor && domain.rank === 1)) {
    throw new DomainError(
      `withDomain: expected the name of a domain, or a tensor [samples] of the numbers of domains, got ${shown(domain)}.`,
    );
  }
  const layers = layersIn(model).filter((layer) => (layer as { from?: unknown }).from === 'scope');
  if (layers.length === 0) {
    throw new DomainError(
      `withDomain: model '${model.name}' has no layer that takes its domain from a scope. Give it some with ` +
        "convertToDomains(model, { domains }), or domainBatchNormalization with from: 'scope'.",
    );
  }
  return scopes.run(layers, domain, fn);
}
