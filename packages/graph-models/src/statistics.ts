// The statistics of a graph's sites, on the device: ours, beside the graph, whose constants stay as they are.
import type { ChannelMoments } from '@rebatch/core';
import { allOrNone } from '@rebatch/core/~internal';
import { DisposedTensorError, type StoreOptions } from '@rebatch/models';
import * as tf from '@tensorflow/tfjs-core';
import type { GraphSite } from './sites/site.ts';

interface Pair {
  readonly mean: tf.Variable;
  readonly variance: tf.Variable;
}

/** Statistics that can be replaced all at once. */
export class SiteStatistics {
  readonly pairs: readonly Pair[];

  /** @param tensors the graph's constants by their names. */
  constructor(sites: readonly GraphSite[], tensors: ReadonlyMap<string, tf.Tensor>) {
    this.pairs = allOrNone((add) => {
      // A variable shares the values that it is given until it is written to.
      const own = (initial: tf.Tensor) => add(tf.variable(initial, false));
      return tf.tidy(() =>
        sites.map((site) =>
          site.kind === 'batchNorm'
            ? { mean: own(tensors.get(site.mean)!), variance: own(tensors.get(site.variance)!) }
            : { mean: own(tf.zeros([site.channels])), variance: own(tf.ones([site.channels])) },
        ),
      );
    });
  }

  /** As `NormalizedModel.store`. */
  store(statistics: readonly (ChannelMoments | undefined)[], { undoable = true }: StoreOptions): void {
    const writes = this.pairs.flatMap((pair, at) => {
      const own = statistics[at];
      return own === undefined
        ? []
        : [
            { variable: pair.mean, value: own.mean },
            { variable: pair.variance, value: own.variance },
          ];
    });
    for (const { variable, value } of writes) {
      tf.util.assertShapesMatch(value.shape, variable.shape, 'store: ');
      if (value.isDisposed)
        throw new DisposedTensorError('store: expected statistics in use, got a disposed tensor.');
    }
    const before: tf.Tensor[] = [];
    let written = 0;
    try {
      if (undoable) for (const { variable } of writes) before.push(tf.keep(tf.clone(variable)));
      for (; written < writes.length; written++) writes[written]!.variable.assign(writes[written]!.value);
    } catch (error) {
      for (let at = 0; undoable && at < written; at++) writes[at]!.variable.assign(before[at]!);
      throw error;
    } finally {
      tf.dispose(before);
    }
  }

  dispose(): void {
    for (const { mean, variance } of this.pairs) tf.dispose([mean, variance]);
  }
}
