import type {
  BatchNormalization,
  BatchNormalizationConfig,
  BatchNormLayer,
  CallArguments,
  StockCopier,
} from '@rebatch/layers';
import {
  type Application,
  arrivingMask,
  type CopiedOutput,
  checkConfigNames,
  isSymbolic,
  obey,
  refuseForeignSymbols,
  refuseInherited,
  type StockAnswers,
  saidOf,
} from '@rebatch/layers/~internal';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { DomainLayerError } from '../errors.ts';
import { applicationOf, applyInOrder, listOf } from './application.ts';
import type { DomainCall } from './at-work.ts';
import {
  DOMAIN_NAMES,
  type DomainBatchNormalizationConfig,
  type DomainSource,
  type ResolvedSettings,
  readConfig,
  savedSettings,
} from './config.ts';
import { chosenLayer, stockOutputsOf } from './in-stock.ts';
import { buildInnerLayers, type InnerLayer, type InnerLayers, makeInnerLayers } from './inner-layers.ts';
import { normalizeLevels } from './levels.ts';
import { normalizeMixed } from './mixed.ts';
import { oncePerForward } from './once-per-forward.ts';
import { domainInScope } from './scope.ts';
import { numberOf } from './which-domain.ts';

/** What a layer of several domains is made of. Kept outside of the layer, because one that was converted has run no constructor of ours. */
export interface DomainState {
  readonly settings: ResolvedSettings;
  readonly batchNorm: BatchNormalizationConfig;
  readonly populations: readonly InnerLayer[];
  inner?: InnerLayers;
}

const states = new WeakMap<object, DomainState>();

/**
 * Batch normalization with statistics per domain ("Rethinking 'Batch' in BatchNorm", section 5; Chang et al. 2019 for
 * domains with separate affine): what normalizes in training, what is kept as population statistics, and gamma and beta
 * are each shared by the domains or each domain's own.
 *
 * Which domain an input is of comes from `withDomain`, from an input of numbers, or from the order of applications; an
 * unknown one is an error that lists the known. The layer contains ordinary layers of `@rebatch/layers`, one per set of
 * moving statistics (`layers`), so that `recalibrate`, `captureStatistics`, `freezeBatchNorm` and `withStatistics` work on
 * each domain's.
 *
 * In a batch of several domains, a domain with a single value per channel is normalized by its population statistics in
 * training, too, and leaves them as they are; so does one that is absent. On cpu and wasm a number of no domain is an
 * error; on other backends, where looking would stall the device, the outputs of such a sample are NaN.
 */
export class DomainBatchNormalization extends tfl.layers.Layer implements StockAnswers {
  static readonly className: string = 'DomainBatchNormalization';

  /**
   * @throws {DomainLayerError} if the domains are not different names, a setting is not one of its choices, or there is no
   *   option of a name.
   * @throws {InvalidInputError} for what `batchNormalization` refuses.
   */
  constructor(config: DomainBatchNormalizationConfig) {
    super((config ?? {}) as ConstructorParameters<typeof tfl.layers.Layer>[0]);
    if (new.target === DomainBatchNormalization) {
      checkConfigNames(this, config, DOMAIN_NAMES, DomainLayerError);
    }
    initialize(this, config);
  }

  /** The names of the domains. */
  get domains(): readonly string[] {
    return stateOf(this).settings.domains;
  }

  /** Where the layer learns which domain its input is of. */
  get from(): DomainSource {
    return stateOf(this).settings.from;
  }

  /** Whose moments normalize in training, and whose moving statistics are kept. */
  get statistics(): ResolvedSettings['statistics'] {
    return stateOf(this).settings.statistics;
  }

  /** Whether the domains share gamma and beta. */
  get affine(): ResolvedSettings['affine'] {
    return stateOf(this).settings.affine;
  }

  /**
   * The ordinary layers inside, one per set of moving statistics, in the order of the domains. Where the population is
   * shared, there is one, whose gamma and beta are those of the domain it served last.
   */
  get layers(): readonly BatchNormalization[] {
    return stateOf(this).populations;
  }

  override get trainable(): boolean {
    return super.trainable;
  }

  override set trainable(trainable: boolean) {
    super.trainable = trainable;
    for (const variable of states.get(this)?.inner?.affineVariables ?? []) variable.trainable = trainable;
  }

  override get trainableWeights(): tfl.LayerVariable[] {
    const own = states.get(this)?.inner?.affineVariables ?? [];
    return this.trainable ? own.filter((variable) => variable.trainable) : [];
  }

  override get nonTrainableWeights(): tfl.LayerVariable[] {
    const { affineVariables = [], movingVariables = [] } = states.get(this)?.inner ?? {};
    const fixed = this.trainable
      ? affineVariables.filter((variable) => !variable.trainable)
      : affineVariables;
    return [...fixed, ...movingVariables];
  }

  /** The penalties of the regularizers of gamma and beta. */
  override get losses(): tfl.layers.Layer['losses'] {
    return states.get(this)?.populations.flatMap((layer) => layer.losses) ?? [];
  }

  override setFastWeightInitDuringBuild(value: boolean): void {
    super.setFastWeightInitDuringBuild(value);
    for (const layer of stateOf(this).populations) layer.setFastWeightInitDuringBuild(value);
  }

  /**
   * @throws {InvalidInputError} unless the channel axis lies in the input shape and has a known size.
   * @throws {DomainLayerError} if the inputs of a list differ in channels.
   */
  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const state = stateOf(this);
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as tfl.Shape[];
    const [shape] = shapes as [tfl.Shape];
    state.inner = buildInnerLayers(state.populations, state.settings, shape, state.batchNorm);
    this.built = true;
  }

  /**
   * @throws {DomainLayerError} if the layer takes its domains from its applications, and is applied to a list of another
   *   length, or more often than it has domains; or from an input of numbers that is missing.
   * @throws {InvalidInputError} for calls in graphs that say different things of `training`.
   */
  override apply(
    inputs: tf.Tensor | tf.Tensor[] | tfl.SymbolicTensor | tfl.SymbolicTensor[],
    kwargs?: Parameters<tfl.layers.Layer['apply']>[1],
  ): tf.Tensor | tf.Tensor[] | tfl.SymbolicTensor | tfl.SymbolicTensor[] {
    refuseForeignSymbols(`Layer '${this.name}'`, inputs);
    const { settings, populations } = stateOf(this);
    const training = isSymbolic(inputs) ? saidOf(this, kwargs) : undefined;
    if (settings.from === 'input' && !(Array.isArray(inputs) && inputs.length === 2)) {
      throw new DomainLayerError(
        `Layer '${this.name}': expected two inputs, [x, ids], since its domains come from an input (from: 'input'); got ` +
          `${Array.isArray(inputs) ? inputs.length : 1}.`,
      );
    }
    const given = settings.from === 'application' ? applyInOrder(this, settings, inputs) : inputs;
    const outputs = super.apply(given, kwargs);
    for (const layer of populations) obey(layer, training);
    return outputs;
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
    return this.from === 'input' ? (inputShape as tfl.Shape[])[0]! : inputShape;
  }

  /**
   * @param kwargs `training: true` normalizes by batch statistics and moves the moving statistics of the domains at hand.
   * @throws {UnknownDomainError} if there is no domain at hand, or one that the layer does not have.
   * @throws {NormalizationBatchError} by batch statistics, if a channel has a single value and the call has one domain.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: CallArguments = {}): tf.Tensor | tf.Tensor[] {
    const { settings, inner } = stateOf(this) as Required<DomainState>;
    const { name } = this;
    const list = settings.from === 'application' ? listOf(inputs, settings) : undefined;
    if (list !== undefined) {
      // tf.layers brings along the first one's mask alone.
      const call: DomainCall = { name, settings, inner, kwargs: { ...kwargs, mask: undefined } };
      return oncePerForward(this, list, kwargs.training === true, () => normalizeLevels(call, list));
    }
    const [x, ids] = Array.isArray(inputs) ? inputs : [inputs];
    return tf.tidy(() => {
      // The inner layers are in no graph, which could tell whose mask it is.
      const own = { ...kwargs, mask: x && arrivingMask(this, x, kwargs) };
      const call: DomainCall = { name, settings, inner, kwargs: own };
      if (settings.from === 'input') return normalizeMixed(call, x!, ids!);
      if (settings.from === 'application') return inner.of(applicationOf(this, settings, x!)).call(x!, own);
      const domain = domainInScope(this);
      if (domain instanceof tf.Tensor) return normalizeMixed(call, x!, domain);
      return inner.of(numberOf(name, settings, domain)).call(x!, own);
    });
  }

  /**
   * The ordinary layer of the domain that is chosen.
   *
   * @throws {UnknownDomainError} if the layer does not have it. {DomainLayerError} if none is, and the domains differ.
   */
  stockLayer(copier: StockCopier): tfl.layers.Layer {
    refuseInherited(this);
    return chosenLayer(this, stateOf(this) as Required<DomainState>, copier);
  }

  /** An ordinary layer for each domain where the applications tell them apart, else that of the domain that is chosen. */
  stockOutputs(application: Application, copier: StockCopier): readonly CopiedOutput[] {
    refuseInherited(this);
    return stockOutputsOf(this, stateOf(this) as Required<DomainState>, application, copier);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { settings, populations } = stateOf(this);
    const { name: _, trainable: __, ...batchNorm } = populations[0]!.getConfig();
    return { ...super.getConfig(), ...batchNorm, ...(savedSettings(settings) as object) };
  }
}

/**
 * A batch normalization layer for several domains: see {@link DomainBatchNormalization}. To load a model that has one,
 * `import '@rebatch/domains/register'`.
 *
 * @throws {DomainLayerError} if the domains are not different names, a setting is not one of its choices, or there is no
 *   option of a name.
 * @throws {InvalidInputError} for what `batchNormalization` refuses.
 */
export function domainBatchNormalization(config: DomainBatchNormalizationConfig): DomainBatchNormalization {
  return new DomainBatchNormalization(config);
}

function initialize(layer: DomainBatchNormalization, config: DomainBatchNormalizationConfig): void {
  const { settings, batchNorm } = readConfig(config, layer.name);
  states.set(layer, { settings, batchNorm, populations: makeInnerLayers(layer.name, settings, batchNorm) });
  layer.supportsMasking = settings.from === 'scope';
}

/** Makes an ordinary layer one of several domains, in place. */
export function becomeDomains(layer: BatchNormLayer, state: DomainState): void {
  for (const key of ['gamma', 'beta', 'movingMean', 'movingVariance']) Reflect.deleteProperty(layer, key);
  Object.setPrototypeOf(layer, DomainBatchNormalization.prototype);
  states.set(layer, state);
  // The variables of the other domains follow.
  layer.trainable = layer.trainable as boolean;
}

function stateOf(layer: DomainBatchNormalization): DomainState {
  return states.get(layer)!;
}
