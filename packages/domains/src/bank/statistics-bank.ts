// Many domains beside one model.
import type { ChannelMoments } from '@rebatch/core';
import { allOrNone } from '@rebatch/core/~internal';
import {
  type AnyModel,
  DisposedModelError,
  type ModelStatistics,
  modelOf,
  type NormalizedModel,
  type Site,
  StatisticsError,
} from '@rebatch/models';
import { checkStatistics, readStatistics } from '@rebatch/models/~internal';
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { BankFileError, StatisticsBankError, UnknownDomainError } from '../errors.ts';
import type { LayerShape } from '../layer-shapes.ts';
import { decodeBank, encodeBank } from './bank-file.ts';
import { isDomainName } from './domain-name.ts';
import { DomainStatistics } from './domain-statistics.ts';
import { apart, joined } from './domain-values.ts';

/**
 * The population statistics of many domains for one model: a model is trained once, and runs on each domain with that
 * domain's statistics. They lie on the device beside the model, so that a switch moves no values.
 *
 * The bank is of the model's layers and not of its weights: when those are trained further, statistics of before are those
 * of another network, and should be captured anew.
 */
export class StatisticsBank {
  readonly #model: AnyModel;
  readonly #sites: readonly Site[];
  readonly #domains = new Map<string, DomainStatistics>();
  /** What was switched to or captured last: domains that were captured one after the other may share tensors. */
  #last: string | undefined;
  #disposed = false;

  /** @throws {NoBatchNormError} if the model has no batch normalization layer or is not built. */
  constructor(model: AnyModel) {
    this.#model = model;
    this.#sites = modelOf('statisticsBank', model).sites;
  }

  /** The domains that there are, sorted by code unit. */
  get names(): string[] {
    return [...this.#domains.keys()].sort();
  }

  /**
   * The domain that the model runs on: the one that `use` switched to or `capture` took, if nothing has written to any of
   * the moving statistics since; else undefined.
   *
   * @throws {StatisticsBankError} if the bank or the model is disposed, or the model's layers are not what they were.
   */
  get current(): string | undefined {
    const [, stored] = this.#stored();
    const names = this.#last === undefined ? this.names : [this.#last, ...this.names];
    return names.find((name) => this.#domains.get(name)?.isIn(stored));
  }

  /**
   * Puts statistics into the bank, in the place of any of that name; the model stays as it is. Values are copied, and
   * rounded to float32.
   *
   * @param name any non-empty string.
   * @throws {StatisticsError} unless `applyStatistics` would take the statistics.
   * @throws {StatisticsBankError} for a name that cannot be one, or a bank that is disposed.
   */
  set(name: string, statistics: ModelStatistics): void {
    checkName(name);
    this.#put(new Map([[name, hold(this.#subject(), statistics)]]));
  }

  /**
   * Puts the statistics that the model has at the moment of the call into the bank, in the place of any of that name.
   *
   * @throws (rejects) as `set`; a disposed model is a {StatisticsBankError}.
   */
  async capture(name: string): Promise<void> {
    checkName(name);
    const backend = tf.getBackend();
    const [subject, stored] = this.#stored();
    const tensors: ChannelMoments[] = [];
    try {
      for (const own of stored) tensors.push(copyOf(own));
      const statistics = await readStatistics(subject);
      this.#checkAlive();
      checkStatistics(subject, statistics);
      this.#put(
        new Map([[name, new DomainStatistics(joined(statistics), this.#sites, { tensors, backend })]]),
      );
      this.#last = name;
    } catch (error) {
      for (const { mean, variance } of tensors) tf.dispose([mean, variance]);
      throw error;
    }
  }

  /**
   * Switches the model to a domain, all layers or none: what could fail is checked before the first write. Synchronous;
   * no values are moved, unless the backend was switched since they were put in.
   *
   * @throws {UnknownDomainError} which lists the known ones.
   * @throws {StatisticsBankError} if the bank or the model is disposed, or the model's layers are not what they were.
   */
  use(name: string): void {
    const domain = this.#domain(name);
    const [subject] = this.#stored();
    subject.store(domain.tensors(), { undoable: false });
    this.#last = name;
  }

  /**
   * The statistics of a domain, as copies.
   *
   * @throws {UnknownDomainError} {StatisticsBankError} if the bank is disposed.
   */
  get(name: string): ModelStatistics {
    const { values } = this.#domain(name);
    return this.#sites.map((site, i) => {
      const { mean, variance } = values[i]!;
      return { name: site.name, mean: mean.slice(), variance: variance.slice() };
    });
  }

  /**
   * Forgets a domain. A model that runs on it keeps its statistics.
   *
   * @throws {UnknownDomainError} {StatisticsBankError} if the bank is disposed.
   */
  delete(name: string): void {
    this.#domain(name).dispose();
    this.#domains.delete(name);
  }

  /**
   * All domains as a file: safetensors, with the model's layers and a SHA-256 over everything. The same domains for the
   * same layers give the same bytes; see the package's README for how to read them elsewhere.
   *
   * @throws {StatisticsBankError} if the bank is disposed.
   */
  save(): Uint8Array {
    this.#checkAlive();
    const domains = new Map([...this.#domains].map(([name, { joined }]) => [name, joined]));
    return encodeBank({ layers: this.#shapes(), domains });
  }

  /**
   * Puts the domains of a file into the bank, in the place of those of the same names, all of them or none. Values are
   * those that were saved, bit by bit.
   *
   * @param file what `save` gave, as `fetch` or a file system hands it over.
   * @returns the names of the domains in the file, sorted.
   * @throws {BankFileError} for anything else than bytes, bytes that `save` did not write, or not quite, or for a model with other layers (names,
   *   order and channels must be the same).
   * @throws {StatisticsBankError} if the bank is disposed.
   */
  load(file: Uint8Array | ArrayBuffer): string[] {
    const subject = this.#subject();
    const bytes = bytesOf(file);
    const loaded = new Map<string, DomainStatistics>();
    let current = '';
    try {
      for (const [name, values] of decodeBank(bytes, this.#shapes())) {
        current = name;
        const apartFrom = apart(values, this.#sites);
        checkStatistics(
          subject,
          this.#sites.map((site, i) => ({ name: site.name, ...apartFrom[i]! })),
        );
        loaded.set(name, new DomainStatistics(values, this.#sites));
      }
    } catch (error) {
      for (const domain of loaded.values()) domain.dispose();
      if (!(error instanceof StatisticsError)) throw error;
      throw new BankFileError(`Domain '${current}' of the file: ${error.message}`, { cause: error });
    }
    this.#put(loaded);
    return [...loaded.keys()];
  }

  /** Frees the bank's tensors; the model keeps the statistics that it has. A second call does nothing. */
  dispose(): void {
    for (const domain of this.#domains.values()) domain.dispose();
    this.#domains.clear();
    this.#disposed = true;
  }

  #put(domains: ReadonlyMap<string, DomainStatistics>): void {
    for (const [name, domain] of domains) {
      this.#domains.get(name)?.dispose();
      this.#domains.set(name, domain);
    }
  }

  #domain(name: string): DomainStatistics {
    this.#checkAlive();
    const domain = this.#domains.get(name);
    if (domain !== undefined) return domain;
    const known = this.names.map((one) => `'${one}'`).join(', ');
    throw new UnknownDomainError(
      `The bank has no domain ${typeof name === 'string' ? `'${name}'` : shown(name)}. ${known === '' ? 'It has none yet: use set, capture or load.' : `It has ${known}.`}`,
    );
  }

  #shapes(): LayerShape[] {
    return this.#sites.map(({ name, channels }) => ({ name, channels }));
  }

  /** The model as it is now, and the statistics that it has, known to be there and to be of the bank's shapes. */
  #stored(): [NormalizedModel, readonly ChannelMoments[]] {
    const subject = this.#subject();
    try {
      return [subject, subject.stored()];
    } catch (error) {
      if (!(error instanceof DisposedModelError)) throw error;
      throw new StatisticsBankError(
        `${error.message} Make a bank for a model that is still in use; save and load move the domains.`,
        { cause: error },
      );
    }
  }

  /** The model as it is now, known to have the sites that it had. */
  #subject(): NormalizedModel {
    this.#checkAlive();
    const subject = modelOf('statisticsBank', this.#model);
    const { name, sites } = subject;
    if (sites.length === this.#sites.length && sites.every((site, i) => site === this.#sites[i]))
      return subject;
    throw new StatisticsBankError(
      `Expected model '${name}' to have the ${this.#sites.length} batch normalization layers that it had when the bank ` +
        `was made, got ${sites.length} (${sites.map((site) => site.name).join(', ')}). ` +
        'Make another bank for the model as it is now.',
    );
  }

  #checkAlive(): void {
    if (!this.#disposed) return;
    throw new StatisticsBankError('The bank is disposed. Make another one with statisticsBank(model).');
  }
}

/**
 * A bank without domains for a model; see {@link StatisticsBank}.
 *
 * @param model of tf.layers, or behind another adapter.
 * @throws {NoBatchNormError} if the model has no batch normalization layer or is not built; {NotAModelError} for anything
 *   that is no model.
 */
export function statisticsBank(model: AnyModel): StatisticsBank {
  return new StatisticsBank(model);
}

/** @throws {StatisticsError} for statistics that do not fit the model. */
function hold(model: NormalizedModel, statistics: ModelStatistics): DomainStatistics {
  checkStatistics(model, statistics);
  return new DomainStatistics(joined(statistics), model.sites);
}

/** Copies that stay; no values are moved. */
function copyOf({ mean, variance }: ChannelMoments): ChannelMoments {
  return allOrNone((add) => ({
    mean: add(tf.keep(tf.clone(mean))),
    variance: add(tf.keep(tf.clone(variance))),
  }));
}

/** By their tags: what comes from another realm (a frame, a test runner) is no instance of this one's classes. */
function bytesOf(file: unknown): Uint8Array {
  const tag = Object.prototype.toString.call(file).slice('[object '.length, -1);
  if (tag === 'Uint8Array' && ArrayBuffer.isView(file)) return file as Uint8Array;
  if (tag === 'ArrayBuffer') return new Uint8Array(file as ArrayBuffer);
  throw new BankFileError(
    `Expected the file of a statistics bank as a Uint8Array or an ArrayBuffer, got ${shown(file)}. Read it first: ` +
      'await (await fetch(address)).arrayBuffer(), or await readFile(path).',
  );
}

function checkName(name: unknown): void {
  if (isDomainName(name)) return;
  throw new StatisticsBankError(
    `Expected the name of a domain to be a non-empty string of whole characters, got ${shown(name)}.`,
  );
}
