// Two copies of tf.layers in one program: each has its own classes, and neither knows layers and symbolic tensors of the
// other for what they are. What follows from that is nowhere near its cause.
import * as tfl from '@tensorflow/tfjs-layers';
import { ForeignLayerError } from './errors.ts';

/**
 * @param who what was called, or which layer was applied, for the message.
 * @throws {ForeignLayerError} if a model or layer was made by another copy of tfjs-layers.
 */
export function refuseForeign(who: string, layer: tfl.layers.Layer): void {
  if (layer instanceof tfl.layers.Layer) return;
  throw foreign(who, `'${(layer as tfl.layers.Layer).name}'`);
}

/** The same for what a layer is applied to in a graph. */
export function refuseForeignSymbols(who: string, inputs: unknown): void {
  if (Array.isArray(inputs)) {
    for (const input of inputs) refuseForeignSymbols(who, input);
    return;
  }
  if (typeof inputs !== 'object' || inputs === null) return;
  // Values of tensors are in `dataId`; what has none, and comes from a layer, stands for values.
  const { sourceLayer, dataId } = inputs as { sourceLayer?: tfl.layers.Layer; dataId?: unknown };
  if (dataId !== undefined || inputs instanceof tfl.SymbolicTensor) return;
  if (sourceLayer !== undefined) throw foreign(who, `'${sourceLayer.name}'`);
}

/** @param made what the other copy has made, by name. */
export function foreign(who: string, made: string): ForeignLayerError {
  return new ForeignLayerError(
    `${who}: two copies of TensorFlow.js are installed. ${made} was made by another copy of @tensorflow/tfjs-layers than ` +
      'the one that Rebatch uses. Install a single copy (npm ls @tensorflow/tfjs-layers shows them; a bundler takes one ' +
      'with resolve.dedupe or resolve.alias), and build the model with it.',
  );
}
