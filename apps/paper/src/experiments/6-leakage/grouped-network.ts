// Networks that differ in nothing but which samples of a training batch are normalized together.

import { ghostBatchNormalization, shuffled } from '@rebatch/leakage';
import * as tfl from '@tensorflow/tfjs-layers';
import { buildNetwork, type NetworkOptions } from '../../training/network.ts';

/**
 * - `'in order'`: runs of the batch, as many devices without synchronization would normalize what each is given;
 * - `'strided'`: Ghost BN whose groups take some samples of each run;
 * - `'shuffled'`: the samples are permuted among the runs before the network, and put back after it;
 * - `'sync'`: all samples of the batch. SyncBN over replicas is by definition one normalization batch over what all of
 *   them hold, so in one process it is the ordinary layer.
 */
export type Grouping = 'in order' | 'strided' | 'shuffled' | 'sync';

/** How a training batch is split. */
export interface Groups {
  readonly grouping: Grouping;
  /** Samples per training batch, and normalization batches that it is split into (but by `'sync'`). */
  readonly batch: number;
  readonly groups: number;
}

export interface GroupedNetworkOptions
  extends Omit<NetworkOptions, 'normalizationBatchSize' | 'normalization'>,
    Groups {}

/** Makes a network with these layers to normalize. */
export type BuildNetwork = (
  options: Pick<NetworkOptions, 'normalizationBatchSize' | 'normalization'>,
) => tfl.LayersModel;

/** The same seed gives the same weights, whatever the grouping. */
export function buildGroupedNetwork(options: GroupedNetworkOptions): tfl.LayersModel {
  return groupedNetwork((own) => buildNetwork({ ...options, ...own }), options, options.seed);
}

/** A network of any kind, grouped. */
export function groupedNetwork(
  build: BuildNetwork,
  { grouping, batch, groups }: Groups,
  seed: number,
): tfl.LayersModel {
  switch (grouping) {
    case 'sync':
      return build({});
    case 'in order':
      return build({ normalizationBatchSize: batch / groups });
    case 'strided':
      return build({
        normalization: ({ normalizationBatchSize: _, ...config }) =>
          ghostBatchNormalization({ ...config, groups, assign: 'strided' }),
      });
    case 'shuffled': {
      const network = build({});
      const inputShape = network.inputs[0]!.shape.slice(1);
      return tfl.sequential({
        layers: [tfl.layers.inputLayer({ inputShape }), shuffled(network, { groups, seed })],
      });
    }
  }
}
