// The configuration of a layer of several domains, checked and in one form.
import { type BatchNormalizationConfig, channelAxis } from '@rebatch/layers';
import { BATCH_NORM_NAMES } from '@rebatch/layers/~internal';
import { checkNames, shown } from '@rebatch/stats/~internal';
import { DomainLayerError } from '../errors.ts';

/** Whether the domains have something in common, or each its own. */
export type Sharing = 'shared' | 'per-domain';

/** Where a layer learns which domain its input is of; see {@link DomainBatchNormalizationConfig.from}. */
export type DomainSource = 'scope' | 'input' | 'application';

/** What there is to choose beyond the configuration of `batchNormalization` of `@rebatch/layers`. */
export interface DomainSettings {
  /** The names of the domains, in an order of meaning where `from` is not `'scope'`. Different, and not empty. */
  readonly domains: readonly string[];
  /**
   * Where the layer learns which domain its input is of. Default `'scope'`.
   *
   * - `'scope'`: from `withDomain`.
   * - `'input'`: `layer.apply([x, ids])`, ids [samples, 1] with the number of each sample's domain. One batch may mix
   *   domains.
   * - `'application'`: each application in a functional model is a domain, as in a head that is shared by feature levels:
   *   `layer.apply([x0, x1, ...])` with one tensor per domain, which gives a list; or as many single applications, in the
   *   order of the domains.
   */
  readonly from?: DomainSource;
  readonly statistics?: {
    /**
     * Whose moments normalize in training: each domain's own (default), or those of everything in the batch. `'shared'`
     * makes a difference where one call meets several domains: lists and mixed batches.
     */
    readonly train?: Sharing;
    /** Whether each domain has moving statistics of its own (default). */
    readonly population?: Sharing;
  };
  /** Whether each domain has a gamma and beta of its own. Default `'shared'`. */
  readonly affine?: Sharing;
}

/** The configuration of `domainBatchNormalization`: axis, momentum, epsilon, ... as for `batchNormalization`. */
export type DomainBatchNormalizationConfig = BatchNormalizationConfig & DomainSettings;

/** {@link DomainSettings} with nothing left to decide. */
export interface ResolvedSettings {
  readonly domains: readonly string[];
  /** The number of each domain: its place in `domains`. There may be many of them. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly from: DomainSource;
  readonly statistics: { readonly train: Sharing; readonly population: Sharing };
  readonly affine: Sharing;
}

/** A name in a saved configuration: tf.layers changes the case of any other text in it. */
interface SavedName {
  readonly name: string;
}

/** What `domainBatchNormalization` takes. */
export const DOMAIN_NAMES: readonly string[] = [
  'domains',
  'from',
  'statistics',
  'affine',
  ...BATCH_NORM_NAMES,
];

/** Splits a configuration, as written or as saved, into what is ours and what is for `batchNormalization`. */
export function readConfig(config: DomainBatchNormalizationConfig, layer: string) {
  const { domains, from = 'scope', statistics, affine = 'shared', ...batchNorm } = config;
  const who = `Layer '${layer}'`;
  const names = Array.isArray(domains)
    ? domains.map((domain: string | SavedName) => (typeof domain === 'string' ? domain : domain?.name))
    : [];
  if (names.length === 0 || names.some((name) => typeof name !== 'string' || name === '')) {
    throw new DomainLayerError(
      `${who}: expected domains to be a list of at least one name, got ${shown(domains)}.`,
    );
  }
  const numbers = new Map(names.map((name, i) => [name, i]));
  if (numbers.size < names.length) {
    // The map has the last place of each.
    const twice = names.find((name, i) => numbers.get(name) !== i);
    throw new DomainLayerError(`${who}: expected the names of the domains to differ, got '${twice}' twice.`);
  }
  checkNames(who, statistics ?? {}, ['train', 'population'], DomainLayerError);
  const { train = 'per-domain', population = 'per-domain' } = statistics ?? {};
  const choose = (what: string, value: string, choices: readonly string[]) => {
    if (choices.includes(value)) return;
    const known = choices.map((choice) => `'${choice}'`).join(' or ');
    throw new DomainLayerError(`${who}: expected ${what} to be ${known}, got ${shown(value)}.`);
  };
  choose('from', from, ['scope', 'input', 'application']);
  choose('statistics.train', train, ['shared', 'per-domain']);
  choose('statistics.population', population, ['shared', 'per-domain']);
  choose('affine', affine, ['shared', 'per-domain']);
  const settings: ResolvedSettings = {
    domains: names,
    numbers,
    from,
    statistics: { train, population },
    affine,
  };
  return { settings, batchNorm: batchNorm as BatchNormalizationConfig };
}

/** Where several domains meet in one call, samples must be the first axis and each domain one normalization batch. */
export function checkMixing(
  layer: { readonly name: string },
  axis: Parameters<typeof channelAxis>[0],
  rank: number,
  normalizationBatchSize: number | undefined,
): void {
  const channel = channelAxis(axis);
  if (channel === 0 || channel === -rank) {
    throw new DomainLayerError(
      `Layer '${layer.name}': expected a channel axis other than 0, along which the samples of several domains lie.`,
    );
  }
  if (normalizationBatchSize === undefined) return;
  throw new DomainLayerError(
    `Layer '${layer.name}': expected no normalizationBatchSize where one call normalizes several domains, got ` +
      `${normalizationBatchSize}. Each domain's samples are one normalization batch there.`,
  );
}

/** The settings as they are saved. */
export function savedSettings({ domains, from, statistics, affine }: ResolvedSettings) {
  return {
    domains: domains.map((name): SavedName => ({ name })),
    from,
    statistics: { ...statistics },
    affine,
  };
}
