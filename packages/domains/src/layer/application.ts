// Which application of a layer an input belongs to. tf.layers runs a layer that was applied several times without saying
// which application it is, and not in the order of the applications; so a layer of its own marks the input on its way.
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
export class DomainMark extends tfl.layers.Layer {
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

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), domain: { name: this.domain } };
  }
}

type Inputs = tf.Tensor | tf.Tensor[] | tfl.SymbolicTensor | tfl.SymbolicTensor[];

/** The domains of a layer's single applications so far, and whether it was applied to lists. */
interface Applied {
  readonly domains: string[];
  lists: boolean;
}

const applied = new WeakMap<object, Applied>();

const appliedOf = (layer: object): Applied => {
  const known = applied.get(layer) ?? { domains: [], lists: false };
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
export function applyInOrder(layer: tfl.layers.Layer, { domains }: ResolvedSettings, inputs: Inputs): Inputs {
  const who = `Layer '${layer.name}'`;
  const names = `its ${domains.length} domains (${domains.join(', ')})`;
  const inGraph = [inputs].flat().every((input) => input instanceof tfl.SymbolicTensor);
  const known = appliedOf(layer);
  if (Array.isArray(inputs) && (inputs.length > 1 || domains.length === 1)) {
    if (inputs.length !== domains.length) {
      throw new DomainLayerError(
        `${who}: expected a list with one tensor for each of ${names}, got ${inputs.length} tensors.`,
      );
    }
    if (inGraph && known.domains.length > 0) throw bothKinds(who);
    if (inGraph) known.lists = true;
    return inputs;
  }
  if (!inGraph) return inputs;
  if (known.lists) throw bothKinds(who);
  const input = [inputs].flat()[0] as tfl.SymbolicTensor;
  const loaded = input.sourceLayer instanceof DomainMark ? input.sourceLayer.domain : undefined;
  const domain = loaded ?? domains.find((name) => !known.domains.includes(name));
  if (domain === undefined || !domains.includes(domain) || known.domains.includes(domain)) {
    throw new DomainLayerError(
      `${who}: expected one application for each of ${names}, got one more` +
        `${domain === undefined ? '' : ` for '${domain}'`}. Name a domain for each application, or use another layer.`,
    );
  }
  known.domains.push(domain);
  if (loaded !== undefined) return input;
  const mark = new DomainMark({ name: `${layer.name}_${known.domains.length}`, domain: { name: domain } });
  return mark.apply(input) as tfl.SymbolicTensor;
}

function bothKinds(who: string): DomainLayerError {
  return new DomainLayerError(
    `${who}: expected either lists with a tensor per domain or single applications, got both.`,
  );
}

/**
 * The number of the domain whose application this is.
 *
 * @throws {DomainLayerError} if the layer was not applied once for each of its domains, or this input comes from none
 *   of those applications.
 */
export function applicationOf(layer: tfl.layers.Layer, { domains }: ResolvedSettings, x: tf.Tensor): number {
  const known = appliedOf(layer).domains;
  const missing = domains.filter((domain) => !known.includes(domain));
  if (missing.length > 0) {
    throw new DomainLayerError(
      `Layer '${layer.name}': expected to be applied once for each of its ${domains.length} domains ` +
        `(${domains.join(', ')}) where the model is built, but was not for ${missing.join(', ')}. In a model that is ` +
        'itself applied several times, the layer is applied once: take its layers out of it, or apply it to lists.',
    );
  }
  const number = domains.indexOf(marks.get(x) ?? '');
  if (number >= 0) return number;
  throw new DomainLayerError(
    `Layer '${layer.name}': expected an input from one of its applications in a functional model, or a list with one ` +
      `tensor for each of its domains (${domains.join(', ')}), got a single tensor.`,
  );
}
