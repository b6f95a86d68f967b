// One forward, around one batch norm that may overwrite its input: the layers on both sides are watched, so that nothing is
// overwritten but what the layer before has just made, and no activation is left out but over what is clipped already.
import type { Limits } from '@rebatch/core/kernels';
import type { StandIn } from '@rebatch/layers/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { OverSite, UNLIMITED } from '../over-site.ts';
import { clippedBy, type Neighbors } from './neighbors.ts';
import type { LayerSite } from './sites.ts';

/** The surroundings of a site during one forward. */
export class Around {
  /** Layers, and what stands in for them. */
  readonly standIns: readonly (readonly [layer: tfl.layers.Layer, standIn: StandIn])[];
  readonly #limits: Limits;
  #made: unknown;
  #clipped: tf.Tensor | undefined;

  /** @param after only where it clips. */
  private constructor(before: tfl.layers.Layer, after?: tfl.layers.Layer, limits = UNLIMITED) {
    this.#limits = limits;
    const making: StandIn = (original, ...call) => {
      const made = original(...call);
      this.#made = made;
      return made;
    };
    const clipping: StandIn = (original, input, kwargs) => {
      const x = [input].flat()[0]!;
      // Another tensor of the same values: the model disposes its input.
      return x === this.#clipped ? tf.reshape(x, x.shape) : original(input, kwargs);
    };
    this.standIns =
      after === undefined
        ? [[before, making]]
        : [
            [before, making],
            [after, clipping],
          ];
  }

  /** By the settings that the layers have now; undefined where something computes in the place of the layer before. */
  static of({ before, after }: Neighbors): Around | undefined {
    if (Object.hasOwn(before, 'call')) return undefined;
    const limits = after === undefined || Object.hasOwn(after, 'call') ? undefined : clippedBy(after);
    return limits === undefined ? new Around(before) : new Around(before, after, limits);
  }

  /** Ways to overwrite x, if it is what the layer before has made. */
  overAt(x: tf.Tensor, site: LayerSite): OverSite | undefined {
    return x === this.#made ? new OverSite(x, site.options, this.#limits) : undefined;
  }

  /** Is told what took the place of the site's input. */
  took(y: tf.Tensor, over: OverSite | undefined): void {
    this.#made = undefined;
    this.#clipped = over?.result === y ? y : undefined;
  }
}
