import type * as tfl from '@tensorflow/tfjs-layers';
import { StockError } from '../errors.ts';

/**
 * For a layer that is asked for its stock layer: an answer that a derived class only inherited says nothing about that class.
 *
 * @throws {StockError} unless the layer's own class has a `stockLayer`, if only to ask the class that it is derived from.
 */
export function refuseInherited(layer: tfl.layers.Layer): void {
  if (Object.hasOwn(Object.getPrototypeOf(layer), 'stockLayer')) return;
  throw new StockError(
    `toStock: layer '${layer.name}' is of a class of its own (${layer.constructor.name}), which may infer otherwise than the ` +
      'class that it is derived from. If it does not, let it say so: stockLayer(copier) { return super.stockLayer(copier); }.',
  );
}
