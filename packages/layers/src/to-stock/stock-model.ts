// A model copied layer by layer, each layer of ours as it says.
import type * as tfl from '@tensorflow/tfjs-layers';
import { layersIn } from '../batch-norm-layers.ts';
import { channelAxis } from '../channel-axis.ts';
import { checkLayer } from '../check-model.ts';
import { checkCopyable, copyGraph } from '../copy/copy-graph.ts';
import { copyLayer, copyWeights, setWeights } from '../copy/copy-layer.ts';
import { type Copying, withCopies } from '../copy/copying.ts';
import { isModel } from '../copy/graph.ts';
import { NotAModelError, StockError } from '../errors.ts';
import { type BatchNormLayer, StockBatchNormalization, stockConfig } from '../stock.ts';
import { answers, type PopulationLayer, type StockCopier, type StockDifferences } from './answers.ts';

const COPYING: Copying = { caller: 'toStock', Failure: StockError };

/**
 * What `toStock` does, here and in packages whose layers have several domains.
 *
 * @throws {NotAModelError} unless the value is a model of tf.layers.
 */
export function stockModel<Model extends tfl.LayersModel>(model: Model, domain?: string): Model {
  checkLayer('toStock', model);
  if (!isModel(model)) {
    const { name } = model as tfl.layers.Layer;
    throw new NotAModelError(
      `toStock: expected a model, got the layer '${name}' alone. Pass the model that it is in.`,
    );
  }
  const stock = withCopies(
    (made) => {
      const copies = new Copies(made, domain);
      const copy = copies.copy(model) as tfl.LayersModel;
      copies.setWeights();
      return copy;
    },
    (copy) => copy.weights,
  );
  const metadata = model.getUserDefinedMetadata();
  if (metadata != null) stock.setUserDefinedMetadata(metadata);
  return stock as Model;
}

class Copies implements StockCopier {
  readonly domain: string | undefined;
  readonly #made: tfl.layers.Layer[];
  readonly #copies = new Map<tfl.layers.Layer, tfl.layers.Layer>();
  readonly #norms = new Map<tfl.layers.Layer, Map<string, tfl.layers.Layer>>();
  /** Which inputs copied models still have. */
  readonly #inputs = new Map<tfl.layers.Layer, readonly number[]>();
  readonly #setters: (() => void)[] = [];

  constructor(made: tfl.layers.Layer[], domain: string | undefined) {
    this.#made = made;
    this.domain = domain;
  }

  copy(layer: tfl.layers.Layer): tfl.layers.Layer {
    const copy = this.#copies.get(layer) ?? this.#make(layer);
    this.#copies.set(layer, copy);
    return copy;
  }

  #make(layer: tfl.layers.Layer): tfl.layers.Layer {
    if (answers(layer) && layer.stockLayer !== undefined) return layer.stockLayer(this);
    return isModel(layer) ? this.#model(layer) : this.#ordinary(layer);
  }

  #model(model: tfl.LayersModel): tfl.layers.Layer {
    checkCopyable(COPYING, model);
    const { model: copy, inputs } = copyGraph(COPYING, model, {
      copyOf: (layer) => this.copy(layer),
      outputsOf: (application) => {
        const { layer } = application;
        return answers(layer) ? layer.stockOutputs?.(application, this) : undefined;
      },
      inputsOf: (layer) => this.#inputs.get(layer),
    });
    this.#inputs.set(copy, inputs);
    return copy;
  }

  /** A layer of tf.layers, or of a class of the user's own. */
  #ordinary(layer: tfl.layers.Layer): tfl.layers.Layer {
    const parts = new Map<tfl.layers.Layer, tfl.layers.Layer>();
    const copy = copyLayer(COPYING, layer, {
      parts: (part) => {
        const instead = this.copy(part);
        parts.set(part, instead);
        return instead;
      },
    });
    this.#made.push(copy);
    const inside = new Set(layersIn(copy));
    const ours = [...inside].find(answers);
    if (ours !== undefined) {
      throw new StockError(
        `toStock: layer '${layer.name}' (${layer.getClassName()}) makes '${ours.name}' (${ours.constructor.name}) by itself, ` +
          "which is not of tf.layers. Let its class make tf.layers' own, and convert the model.",
      );
    }
    this.#setters.push(() => {
      const placed = [...parts].filter(([, instead]) => inside.has(instead)).flat();
      const except = new Set(placed.flatMap(({ weights }) => weights));
      copyWeights(COPYING, layer, copy, { except });
    });
    return copy;
  }

  batchNormalization(layer: PopulationLayer, differences: StockDifferences = {}): tfl.layers.Layer {
    const { name = layer.name, gamma = layer.gamma, beta = layer.beta, ...changes } = differences;
    const named = this.#norms.get(layer) ?? new Map<string, tfl.layers.Layer>();
    this.#norms.set(layer, named);
    const known = named.get(name);
    if (known !== undefined) return known;
    if (layer.normalizesByBatch(false)) {
      throw new StockError(
        `toStock: layer '${layer.name}' infers by batch statistics, but the layer of tf.layers by population statistics ` +
          "only. Set its inferenceStatistics to 'population'.",
      );
    }
    const copy = new StockBatchNormalization({
      ...stockConfig(layer),
      // Keras writes it in a list, which the stock layer takes for other axes than it is.
      axis: channelAxis(layer),
      name,
      ...changes,
    });
    copy.setFastWeightInitDuringBuild(true);
    this.#made.push(copy);
    named.set(name, copy);
    const values = [gamma, beta, layer.movingMean, layer.movingVariance].filter((weight) => weight != null);
    this.#setters.push(() => {
      refuseItsFaults(copy);
      setWeights(
        COPYING,
        layer,
        copy.weights,
        values.map((weight) => weight.read()),
      );
    });
    return copy;
  }

  setWeights(): void {
    for (const set of this.#setters) set();
  }
}

/** What our layer computes, but the stock one gets wrong on the cpu and wasm backends, or throws for. */
function refuseItsFaults({ name, axis, inputSpec, inboundNodes }: BatchNormLayer): void {
  const rank = inputSpec?.[0]?.ndim;
  const refuse = (what: string, advice: string) => {
    throw new StockError(`toStock: layer '${name}' normalizes ${what}. ${advice}`);
  };
  const fold = 'Fold it into the layer before it (foldBatchNorm), or ';
  if (rank != null && rank > 4) {
    refuse(
      `an input of rank ${rank}, but that of tf.layers rank 2 to 4 only`,
      `${fold}reshape its input and output.`,
    );
  }
  if (rank != null && axis !== -1 && axis !== rank - 1) {
    refuse(
      `along axis ${axis} of ${rank}, where that of tf.layers is wrong on the cpu and wasm backends`,
      `${fold}build the model with its channels last.`,
    );
  }
  if (inboundNodes.some(({ inputTensors }) => inputTensors.some(({ dtype }) => dtype !== 'float32'))) {
    refuse(
      'whole numbers, which that of tf.layers takes for other ones or rounds',
      'Build the model with an input of dtype float32.',
    );
  }
}
