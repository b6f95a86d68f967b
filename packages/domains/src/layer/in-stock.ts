// What takes the place of a layer of several domains in a model of tf.layers' own layers, which have one set of statistics.
import type { StockCopier } from '@rebatch/layers';
import type { Application, CopiedOutput } from '@rebatch/layers/~internal';
import type * as tfl from '@tensorflow/tfjs-layers';
import { DomainLayerError, UnknownDomainError } from '../errors.ts';
import { markedDomain } from './application.ts';
import type { ResolvedSettings } from './config.ts';
import type { InnerLayers } from './inner-layers.ts';
import { named } from './which-domain.ts';

type Layer = tfl.layers.Layer;

/** What a layer of several domains is made of. */
interface State {
  readonly settings: ResolvedSettings;
  readonly inner: InnerLayers;
}

/** The layer of the domain that was chosen. */
export function chosenLayer(layer: Layer, state: State, copier: StockCopier): Layer {
  const { domains } = state.settings;
  const domain = copier.domain ?? (areAlike(state) ? domains[0] : undefined);
  const expected = `toStock: layer '${layer.name}' expected one of its domains (${domains.join(', ')})`;
  if (domain === undefined) {
    throw new DomainLayerError(
      `${expected} to ship, got none. Choose one: toStock(model, '${domains[0]}') of @rebatch/domains.`,
    );
  }
  const number = domains.indexOf(domain);
  if (number < 0) throw new UnknownDomainError(`${expected} to ship, got ${named(domain)}.`);
  return layerOf(layer, state, copier, number, layer.name);
}

/** What becomes of an application: of a list, a layer for each domain. */
export function stockOutputsOf(
  layer: Layer,
  state: State,
  { inputs }: Application,
  copier: StockCopier,
): readonly CopiedOutput[] {
  const { domains, from } = state.settings;
  if (from !== 'application') return [{ input: 0, layer: chosenLayer(layer, state, copier) }];
  const marked = markedDomain(inputs[0]);
  const numbers = marked === undefined ? domains.keys() : [domains.indexOf(marked)];
  return [...numbers].map((domain, input) => {
    const name = areAlike(state) ? layer.name : `${layer.name}_domain_${domain}`;
    return { input, layer: layerOf(layer, state, copier, domain, name) };
  });
}

/** Whether all domains are normalized alike, so that one layer does for all. */
function areAlike({ settings: { domains, statistics, affine } }: State): boolean {
  return domains.length === 1 || (statistics.population === 'shared' && affine === 'shared');
}

function layerOf(
  { trainable }: Layer,
  { inner }: State,
  copier: StockCopier,
  domain: number,
  name: string,
): Layer {
  const population = inner.populations[domain] ?? inner.populations[0]!;
  return copier.batchNormalization(population, { ...inner.affines[domain], name, trainable });
}
