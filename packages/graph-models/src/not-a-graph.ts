// What people hand in for a converted graph, and what to tell them where it is none.

import { isLayer } from '@rebatch/layers/~internal';
import { NotAModelError } from '@rebatch/models';

/** The error for something that is neither a GraphModel nor the artifacts of one. */
export function notAGraph(value: unknown): NotAModelError {
  return new NotAModelError(
    `graphModel: expected a GraphModel or the artifacts of one (modelTopology, weightSpecs and weightData), got ${describe(value)}`,
  );
}

function describe(value: unknown): string {
  if (typeof value === 'string' || value instanceof URL) {
    return `the address '${shorten(String(value))}'. Load it first: await tf.loadGraphModel(address).`;
  }
  if (typeof value !== 'object' || value === null)
    return `${typeof value === 'function' ? 'a function' : String(value)}.`;
  const { then, load, weightsManifest, layers } = value as Partial<Record<string, unknown>>;
  if (typeof then === 'function') return 'a promise. Wait for it first: await it.';
  if (isLayer(value)) {
    return `a ${Array.isArray(layers) ? 'model' : 'layer'} of tf.layers. Tools take such models as they are; or use layersModel.`;
  }
  if (typeof load === 'function') return 'an IO handler. Pass what it loads: await handler.load().';
  if (weightsManifest !== undefined) {
    return 'a model.json, which has no weights. Pass what tf.loadGraphModel makes of it, or what an IO handler loads.';
  }
  const keys = Object.keys(value);
  return `an object with ${keys.length === 0 ? 'no members' : `the members ${keys.slice(0, 5).join(', ')}`}.`;
}

/** Of a text that someone takes for a model, such as all of a model.json, the beginning is enough. */
const shorten = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
