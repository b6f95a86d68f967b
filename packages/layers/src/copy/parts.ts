// The layers inside of a wrapper or recurrent layer, and how its copy comes to have others there. tf.layers makes them by class
// name from the configuration of the wrapper, which would give each copy layers and weights of its own.
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** What takes the place of a layer inside of another; undefined for what is copied with it. */
export type PartsInstead = (part: tfl.layers.Layer) => tfl.layers.Layer | undefined;

/** A layer as tf.layers writes it into the configuration of what is around it. */
interface Saved {
  readonly className: string;
  readonly config: tf.serialization.ConfigDict;
}

type FromConfig = (cls: { fromConfig: FromConfig }, config: unknown, ...rest: unknown[]) => unknown;

/** Where wrappers, RNN and stacked cells write the layers inside of them: under the names of the fields that hold them. */
const PARTS = ['layer', 'cell', 'cells'];

/** A layer's configuration with other layers inside, and what makes `fromConfig` take those very objects. */
export function configOf(layer: tfl.layers.Layer, instead: PartsInstead = () => undefined) {
  const config = { ...layer.getConfig() } as Record<string, unknown>;
  const given = new Map<unknown, tfl.layers.Layer>();
  const customObjects: Record<string, unknown> = {};
  const replace = (part: tfl.layers.Layer, saved: Saved): Saved => {
    const other = instead(part);
    if (other === undefined) return saved;
    const entry = { className: other.getClassName(), config: other.getConfig() };
    given.set(entry.config, other);
    const fromConfig: FromConfig = (cls, ...args) => given.get(args[0]) ?? cls.fromConfig(cls, ...args);
    customObjects[entry.className] = [other.constructor, fromConfig];
    return entry;
  };
  // Bidirectional runs two copies of its `layer`, and makes them by class name whatever it is given.
  for (const key of 'forwardLayer' in layer ? [] : PARTS) {
    const [held, saved] = [(layer as unknown as Record<string, unknown>)[key], config[key]];
    if (held === undefined || saved === undefined) continue;
    config[key] = Array.isArray(saved)
      ? saved.map((one: Saved, at) => replace((held as tfl.layers.Layer[])[at]!, one))
      : replace(held as tfl.layers.Layer, saved as Saved);
  }
  return {
    config: config as tf.serialization.ConfigDict,
    customObjects: given.size > 0 ? (customObjects as tf.serialization.ConfigDict) : undefined,
  };
}
