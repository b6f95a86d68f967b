// The variables of a layer of several domains: ordinary batch normalization layers, one per set of moving statistics,
// so that every tool that knows those (recalibrate, freezeBatchNorm, withStatistics, ...) knows each domain's.
import { BatchNormalization, type BatchNormalizationConfig, type BatchNormLayer } from '@rebatch/layers';
import * as tfl from '@tensorflow/tfjs-layers';
import type { ResolvedSettings } from './config.ts';

type Affine = Pick<BatchNormLayer, 'gamma' | 'beta'>;
type Shape = tfl.Shape;

/** One set of moving statistics, and the gamma and beta that are at work with it at the moment. */
export class Slot extends BatchNormalization {
  /** What tells its variables from those of other slots; the first one's have the names of an ordinary layer. */
  readonly #prefix: string;

  constructor(config: BatchNormalizationConfig, prefix = '') {
    super(config);
    this.#prefix = prefix;
  }

  override addWeight(...[name, ...rest]: Parameters<BatchNormalization['addWeight']>): tfl.LayerVariable {
    return super.addWeight(`${this.#prefix}${name}`, ...rest);
  }
}

/** The slots of a layer, and which of them serves which domain. */
export interface Slots {
  /** One per set of moving statistics. */
  readonly populations: readonly Slot[];
  /** The slot of a domain, with that domain's gamma and beta. */
  of(domain: number): Slot;
  /** One per domain; all the same where the affine is shared. */
  readonly affines: readonly Affine[];
  /** Every gamma and beta, each once. */
  readonly affineVariables: readonly tfl.LayerVariable[];
  /** All moving statistics, each once. */
  readonly movingVariables: readonly tfl.LayerVariable[];
}

/**
 * Slots that have no variables yet.
 *
 * @param scope goes before the names of their variables, where tf.layers does not add the layer's name by itself.
 */
export function makeSlots(
  layer: string,
  { domains, statistics }: ResolvedSettings,
  config: BatchNormalizationConfig,
  scope = '',
): Slot[] {
  const labels = statistics.population === 'shared' ? ['shared'] : domains;
  return labels.map((label, i) => makeSlot(config, `${layer}/${label}`, i === 0 ? '' : prefixOf(i, scope)));
}

// By number: the names of variables cannot have every character that the names of domains can.
const prefixOf = (domain: number, scope: string) => `${scope}domain_${domain}/`;

function makeSlot(config: BatchNormalizationConfig, name: string, prefix: string): Slot {
  const { inputShape, batchInputShape, batchSize, dtype, inputDType, weights, ...rest } = config as Record<
    string,
    unknown
  >;
  return new Slot({ ...rest, name } as BatchNormalizationConfig, prefix);
}

/**
 * Gives the slots their variables.
 *
 * @param first what the first slot uses instead of making variables of its own: those of the layer that is converted.
 */
export function buildSlots(
  populations: readonly Slot[],
  { domains, affine }: ResolvedSettings,
  shape: Shape,
  config: BatchNormalizationConfig,
  first?: { readonly layer: BatchNormLayer; readonly scope: string },
): Slots {
  const start = populations[0]!;
  if (first === undefined) start.build(shape);
  else adopt(start, first.layer);
  for (const slot of populations.slice(1)) {
    if (affine === 'shared') buildStatistics(slot, shape, start);
    else slot.build(shape);
  }
  const affines = domains.map((domain, i): Affine => {
    if (affine === 'shared' || i === 0) return { gamma: start.gamma, beta: start.beta };
    if (populations.length > 1) return { gamma: populations[i]!.gamma, beta: populations[i]!.beta };
    const holder = makeSlot(config, `${start.name}/${domain}`, prefixOf(i, first?.scope ?? ''));
    holder.build(shape);
    // Only its gamma and beta are wanted. Its regularizers are in force as far as the slot's own are.
    holder.movingMean.dispose();
    holder.movingVariance.dispose();
    start.addLoss(holder.losses);
    return { gamma: holder.gamma, beta: holder.beta };
  });
  if (first !== undefined) copyValues(populations, affines);
  const own = new Set(affines.flatMap(({ gamma, beta }) => [gamma, beta].filter((one) => one != null)));
  return {
    populations,
    affines,
    affineVariables: [...own],
    movingVariables: populations.flatMap(({ movingMean, movingVariance }) => [movingMean, movingVariance]),
    of(domain) {
      const slot = populations.length > 1 ? populations[domain]! : start;
      return Object.assign(slot, affines[domain]);
    },
  };
}

/** Moving statistics of its own, and the gamma and beta of another. */
function buildStatistics(slot: Slot, shape: Shape, { gamma, beta, center, scale }: Slot): void {
  Object.assign(slot, { center: false, scale: false });
  slot.build(shape);
  Object.assign(slot, { gamma, beta, center, scale });
}

/** Takes over the variables of a layer, and the penalties on them. */
function adopt(slot: Slot, layer: BatchNormLayer): void {
  const { gamma, beta, movingMean, movingVariance } = layer;
  Object.assign(slot, { gamma, beta, movingMean, movingVariance, built: true });
  // Not those that a frozen layer of ours shows: the slot is frozen by itself, and may be unfrozen.
  slot.addLoss(Reflect.get(tfl.layers.Layer.prototype, 'losses', layer));
}

/** Every domain starts from what the first has. */
function copyValues(populations: readonly Slot[], affines: readonly Affine[]): void {
  const copy = (to?: tfl.LayerVariable | null, from?: tfl.LayerVariable | null) => {
    if (to != null && from != null && to !== from) to.write(from.read());
  };
  for (const { gamma, beta } of affines) {
    copy(gamma, affines[0]!.gamma);
    copy(beta, affines[0]!.beta);
  }
  for (const { movingMean, movingVariance } of populations) {
    copy(movingMean, populations[0]!.movingMean);
    copy(movingVariance, populations[0]!.movingVariance);
  }
}
