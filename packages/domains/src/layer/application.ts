// Which application of a layer an input belongs to. tf.layers runs a layer that was applied several times without saying
// which application it is, and not in the order of the applications; so a layer of its own marks the input on its way.
import type { CopiedOutput, StockAnswers } from '@rebatch/layers/~internal';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { DomainLayerError } from '../errors.ts';
import type { ResolvedSettings } from './config.ts';

const marks = new WeakMap<tf.Tensor, string>();

interface MarkConfig {
  readonly name?: string;
  /** In an object, because tf.layers changes the case of any text that it saves, but names. */
  readonly domain: { readonly name: string };
}

/** Marks what flows through it with the name of a domain. `DomainBatchNormalization` puts it before itself. */
export class DomainMark extends tfl.layers.Layer implements StockAnswers {
  static readonly className = 'DomainMark';
  readonly domain: string;

  constructor(config: MarkConfig) {
    super(config as ConstructorParameters<typeof tfl.layers.Layer>[0]);
    this.domain = config.domain.name;
    this.supportsMasking = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const y = tf.clone(Array.isArray(inputs) ? inputs[0]! : inputs);
    marks.set(y, this.domain);
    return y;
  }

  /** Nothing takes its place: the layer after it is told apart otherwise. */
  stockOutputs(): readonly CopiedOutput[] {
    return [{ input: 0 }];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), domain: { name: this.domain } };
  }
}

type Inputs = tf.Tensor | tf.Tensor[] | tfl.SymbolicTensor | tfl.SymbolicTensor[];

/** The domains of a layer's single applications so far, and whether it was applied to lists. */
interface Applied {
  readonly domains: Set<string>;
  /** How many domains, from the first on, are known to have one. */
  before: number;
  lists: boolean;
}

const applied = new WeakMap<object, Applied>();

const appliedOf = (layer: object): Applied => {
  const known = applied.get(layer) ?? { domains: new Set(), before: 0, lists: false };
  applied.set(layer, known);
  return known;
};

/** The inputs as a list with one tensor per domain; undefined for a single application. */
export function listOf(
  inputs: tf.Tensor | tf.Tensor[],
  { domains }: ResolvedSettings,
): tf.Tensor[] | undefined {
  return Array.isArray(inputs) && (inputs.length > 1 || domains.length === 1) ? inputs : undefined;
}

/**
 * What to really apply the layer to: a list as it is, and a single input of a graph behind the mark of the next domain.
 *
 * @throws {DomainLayerError} for a list of another length, more applications than domains, or both kinds.
 */
export function applyInOrder(layer: tfl.layers.Layer, settings: ResolvedSettings, inputs: Inputs): Inputs {
  const { domains, numbers } = settings;
  const who = `Layer '${layer.name}'`;
  const names = () => `its ${domains.length} domains (${domains.join(', ')})`;
  const inGraph = [inputs].flat().every((input) => input instanceof tfl.SymbolicTensor);
  const known = appliedOf(layer);
  if (Array.isArray(inputs) && (inputs.length > 1 || domains.length === 1)) {
    if (inputs.length !== domains.length) {
      throw new DomainLayerError(
        `${who}: expected a list with one tensor for each of ${names()}, got ${inputs.length} tensors.`,
      );
    }
    if (inGraph && known.domains.size > 0) throw bothKinds(who);
    if (inGraph) known.lists = true;
    return inputs;
  }
  if (!inGraph) return inputs;
  if (known.lists) throw bothKinds(who);
  const input = [inputs].flat()[0] as tfl.SymbolicTensor;
  const loaded = markedDomain(input);
  const domain = loaded ?? nextDomain(settings, known);
  if (domain === undefined || !numbers.has(domain) || known.domains.has(domain)) {
    throw new DomainLayerError(
      `${who}: expected one application for each of ${names()}, got one more` +
        `${domain === undefined ? '' : ` for '${domain}'`}. Name a domain for each application, or use another layer.`,
    );
  }
  known.domains.add(domain);
  if (loaded !== undefined) return input;
  const mark = new DomainMark({ name: `${layer.name}_${known.domains.size}`, domain: { name: domain } });
  return mark.apply(input) as tfl.SymbolicTensor;
}

/** The first domain that has no application yet. */
function nextDomain({ domains }: ResolvedSettings, applied: Applied): string | undefined {
  while (applied.domains.has(domains[applied.before]!)) applied.before += 1;
  return domains[applied.before];
}

function bothKinds(who: string): DomainLayerError {
  return new DomainLayerError(
    `${who}: expected either lists with a tensor per domain or single applications, got both.`,
  );
}

/** The domain of a single application in a graph, by the mark before it. */
export function markedDomain(input: tfl.SymbolicTensor | undefined): string | undefined {
  return input?.sourceLayer instanceof DomainMark ? input.sourceLayer.domain : undefined;
}

/**
 * The number of the domain whose application this is.
 *
 * @throws {DomainLayerError} if the layer was not applied once for each of its domains, or this input comes from none
 *   of those applications.
 */
export function applicationOf(
  layer: tfl.layers.Layer,
  { domains, numbers }: ResolvedSettings,
  x: tf.Tensor,
): number {
  const known = appliedOf(layer).domains;
  if (known.size < domains.length) {
    const missing = domains.filter((domain) => !known.has(domain));
    throw new DomainLayerError(
      `Layer '${layer.name}': expected to be applied once for each of its ${domains.length} domains ` +
        `(${domains.join(', ')}) where the model is built, but was not for ${missing.join(', ')}. In a model that is ` +
        'itself applied several times, the layer is applied once: take its layers out of it, or apply it to lists.',
    );
  }
  const number = numbers.get(marks.get(x) ?? '');
  if (number !== undefined) return number;
  throw new DomainLayerError(
    `Layer '${layer.name}': expected an input from one of its applications in a functional model, or a list with one ` +
      `tensor for each of its domains (${domains.join(', ')}), got a single tensor.`,
  );
}
