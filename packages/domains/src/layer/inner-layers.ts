// The layers inside a layer of several domains: ordinary batch normalization layers, one per set of moving statistics,
// so that every tool that knows those (recalibrate, freezeBatchNorm, withStatistics, ...) works on each domain's.
import { BatchNormalization, type BatchNormalizationConfig, type BatchNormLayer } from '@rebatch/layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { ResolvedSettings } from './config.ts';

type Affine = Pick<BatchNormLayer, 'gamma' | 'beta'>;
type Shape = tfl.Shape;

/** A set of moving statistics, and the gamma and beta that go with it at the moment. */
export class InnerLayer extends BatchNormalization {
  /** What tells its variables from those of the other inner layers; the first one's have the names of an ordinary layer. */
  readonly #prefix: string;

  constructor(config: BatchNormalizationConfig, prefix = '') {
    super(config);
    this.#prefix = prefix;
  }

  override addWeight(...[name, ...rest]: Parameters<BatchNormalization['addWeight']>): tfl.LayerVariable {
    return super.addWeight(`${this.#prefix}${name}`, ...rest);
  }
}

/** The inner layers of a layer of several domains, and which of them serves which domain. */
export interface InnerLayers {
  /** One per set of moving statistics. */
  readonly populations: readonly InnerLayer[];
  /** The inner layer of a domain, with that domain's gamma and beta. */
  of(domain: number): InnerLayer;
  /** One per domain; all the same where the affine is shared. */
  readonly affines: readonly Affine[];
  /** Every gamma and beta, each once. */
  readonly affineVariables: readonly tfl.LayerVariable[];
  /** All moving statistics, each once. */
  readonly movingVariables: readonly tfl.LayerVariable[];
}

/**
 * Inner layers that have no variables yet.
 *
 * @param scope goes before the names of their variables, where tf.layers does not add the layer's name by itself.
 */
export function makeInnerLayers(
  name: string,
  { domains, statistics }: ResolvedSettings,
  config: BatchNormalizationConfig,
  scope = '',
): InnerLayer[] {
  const labels = statistics.population === 'shared' ? ['shared'] : domains;
  return labels.map((label, i) =>
    makeInnerLayer(config, `${name}/${label}`, i === 0 ? '' : prefixOf(i, scope)),
  );
}

// By number: the names of variables cannot have every character that the names of domains can.
const prefixOf = (domain: number, scope: string) => `${scope}domain_${domain}/`;

function makeInnerLayer(config: BatchNormalizationConfig, name: string, prefix: string): InnerLayer {
  const { inputShape, batchInputShape, batchSize, dtype, inputDType, weights, ...rest } = config as Record<
    string,
    unknown
  >;
  return new InnerLayer({ ...rest, name } as BatchNormalizationConfig, prefix);
}

/**
 * Gives the inner layers their variables.
 *
 * @param first what the first one uses instead of making variables of its own: those of the layer that is converted.
 */
export function buildInnerLayers(
  populations: readonly InnerLayer[],
  settings: ResolvedSettings,
  shape: Shape,
  config: BatchNormalizationConfig,
  first?: { readonly layer: BatchNormLayer; readonly scope: string },
): InnerLayers {
  const holders: InnerLayer[] = [];
  try {
    // What initializers make is gone with the tidy; variables stay.
    return tf.tidy(
      () => build(populations, settings, shape, config, first, holders) as unknown as tf.TensorContainer,
    ) as unknown as InnerLayers;
  } catch (error) {
    const given = new Set(variablesOf(first?.layer));
    const made = new Set([...populations, ...holders].flatMap(variablesOf));
    for (const variable of made) if (!given.has(variable) && !variable.read().isDisposed) variable.dispose();
    throw error;
  }
}

function variablesOf(layer: Partial<BatchNormLayer> | undefined): tfl.LayerVariable[] {
  const { gamma, beta, movingMean, movingVariance } = layer ?? {};
  return [gamma, beta, movingMean, movingVariance].filter((variable) => variable != null);
}

function build(
  populations: readonly InnerLayer[],
  { domains, affine }: ResolvedSettings,
  shape: Shape,
  config: BatchNormalizationConfig,
  first: { readonly layer: BatchNormLayer; readonly scope: string } | undefined,
  holders: InnerLayer[],
): InnerLayers {
  const start = populations[0]!;
  if (first === undefined) start.build(shape);
  else adopt(start, first.layer);
  for (const layer of populations.slice(1)) {
    if (affine === 'shared') buildStatistics(layer, shape, start);
    else layer.build(shape);
  }
  const affines = domains.map((domain, i): Affine => {
    if (affine === 'shared' || i === 0) return { gamma: start.gamma, beta: start.beta };
    if (populations.length > 1) return { gamma: populations[i]!.gamma, beta: populations[i]!.beta };
    const holder = makeInnerLayer(config, `${start.name}/${domain}`, prefixOf(i, first?.scope ?? ''));
    holders.push(holder);
    holder.build(shape);
    // Only its gamma and beta are wanted. Its regularizers are in force as far as those of the inner layer are.
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
      const layer = populations.length > 1 ? populations[domain]! : start;
      return Object.assign(layer, affines[domain]);
    },
  };
}

/** Moving statistics of its own, and the gamma and beta of another. */
function buildStatistics(layer: InnerLayer, shape: Shape, { gamma, beta, center, scale }: InnerLayer): void {
  Object.assign(layer, { center: false, scale: false });
  layer.build(shape);
  Object.assign(layer, { gamma, beta, center, scale });
}

/** Takes over the variables of a layer, and the penalties on them. */
function adopt(inner: InnerLayer, layer: BatchNormLayer): void {
  const { gamma, beta, movingMean, movingVariance } = layer;
  Object.assign(inner, { gamma, beta, movingMean, movingVariance, built: true });
  // Not those that a frozen layer of ours shows: the inner layer is frozen by itself, and may be unfrozen.
  inner.addLoss(Reflect.get(tfl.layers.Layer.prototype, 'losses', layer));
}

/** Every domain starts from what the first has. */
function copyValues(populations: readonly InnerLayer[], affines: readonly Affine[]): void {
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
