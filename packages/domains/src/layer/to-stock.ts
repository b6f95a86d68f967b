import { isLayer, layersIn, refuseForeign, stockModel } from '@rebatch/layers/~internal';
import type * as tfl from '@tensorflow/tfjs-layers';
import { DomainError } from '../errors.ts';
import { DomainBatchNormalization } from './domain-batch-normalization.ts';
import { named } from './which-domain.ts';

/**
 * A new model of tf.layers' own layers that predicts what the model does in one domain, for shipping: whoever loads it needs
 * nothing of Rebatch. It undoes `convertToDomains` for that domain; all else is as for `toStock` of `@rebatch/layers`.
 *
 * Layers whose domain comes from an input of numbers lose that input, and the model what only led there. Layers whose domains
 * are their applications need no choice: each domain becomes a layer of its own, named `layer_domain_0` and so on in
 * the order of the domains, or all become one layer where they share statistics and affine.
 *
 * @param model a Sequential or functional model, nested models and wrapped layers included. It stays as it is.
 * @param domain the domain to ship, for layers that take theirs from a scope or an input.
 * @returns a model with weights of its own, not compiled.
 * @throws {UnknownDomainError} if a layer does not have the domain; {DomainLayerError} if a layer needs a domain and none is
 *   given; {DomainError} if one is given, but no layer has a domain to choose.
 * @throws {StockError} naming the layer, for what `toStock` of `@rebatch/layers` refuses.
 * @throws {NotAModelError} for anything that is no model.
 */
export function toStock<Model extends tfl.LayersModel>(model: Model, domain?: string): Model {
  if (isLayer(model)) refuseForeign('toStock', model);
  if (domain !== undefined && isLayer(model) && !layersIn(model).some(takesChoice)) {
    throw new DomainError(
      `toStock: got the domain ${named(domain)}, but no layer of model '${model.name}' takes its domain from a scope or an input. ` +
        'Leave it out.',
    );
  }
  return stockModel(model, domain);
}

function takesChoice(layer: tfl.layers.Layer): boolean {
  return layer instanceof DomainBatchNormalization && layer.from !== 'application';
}
