/** Many domains beside one model. */
import {
  captureStatistics,
  checkStatistics,
  findBatchNormLayers,
  type ModelStatistics,
  StatisticsError,
} from '@rebatch/recalibrate';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { BankFileError, StatisticsBankError, UnknownDomainError } from '../errors.ts';
import type { LayerShape } from '../layer-shapes.ts';
import { decodeBank, encodeBank } from './bank-file.ts';
import { isDomainName } from './domain-name.ts';
import { HeldStatistics, variablesOf } from './held-statistics.ts';

/**
 * The population statistics of many domains for one model: a model is trained once, and runs on each domain with that
 * domain's statistics. They lie on the device beside the model, so that a switch moves no values.
 *
 * The bank is of the model's layers and not of its weights: when those are trained further, statistics of before are those
 * of another network, and should be captured anew.
 */
export class StatisticsBank {
  readonly #model: tfl.LayersModel;
  readonly #layers: ReturnType<typeof findBatchNormLayers>;
  readonly #domains = new Map<string, HeldStatistics>();
  /** What was switched to or captured last: domains that were captured one after the other may share tensors. */
  #last: string | undefined;
  #disposed = false;

  /** @throws {NoBatchNormError} if the model has no batch normalization layer or is not built. */
  constructor(model: tfl.LayersModel) {
    this.#model = model;
    this.#layers = findBatchNormLayers(model);
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
    const variables = this.#variables();
    const names = this.#last === undefined ? this.names : [this.#last, ...this.names];
    return names.find((name) => this.#domains.get(name)?.isIn(variables));
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
    this.#checkLayers();
    this.#put(new Map([[name, this.#hold(statistics)]]));
  }

  /**
   * Puts the statistics that the model has at the moment of the call into the bank, in the place of any of that name.
   *
   * @throws (rejects) as `set`; a disposed model is a {StatisticsBankError}.
   */
  async capture(name: string): Promise<void> {
    checkName(name);
    const backend = tf.getBackend();
    const tensors = this.#variables().map((variable) => tf.keep(tf.clone(variable.read())));
    try {
      const statistics = await captureStatistics(this.#model);
      this.#checkAlive();
      checkStatistics(this.#model, statistics);
      this.#put(new Map([[name, new HeldStatistics(valuesOf(statistics), { tensors, backend })]]));
      this.#last = name;
    } catch (error) {
      tf.dispose(tensors);
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
    const variables = this.#variables();
    const tensors = domain.tensors();
    for (const [i, variable] of variables.entries()) variable.write(tensors[i]!);
    this.#last = name;
  }

  /**
   * The statistics of a domain, as copies.
   *
   * @throws {UnknownDomainError} {StatisticsBankError} if the bank is disposed.
   */
  get(name: string): ModelStatistics {
    const { values } = this.#domain(name);
    return this.#layers.map((layer, i) => {
      const { mean, variance } = values[i]!;
      return { name: layer.name, mean: mean.slice(), variance: variance.slice() };
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
    const domains = new Map([...this.#domains].map(([name, { values }]) => [name, values]));
    return encodeBank({ layers: this.#shapes(), domains });
  }

  /**
   * Puts the domains of a file into the bank, in the place of those of the same names, all of them or none. Values are
   * those that were saved, bit by bit.
   *
   * @param file what `save` gave, as `fetch` or a file system hands it over.
   * @returns the names of the domains in the file, sorted.
   * @throws {BankFileError} for bytes that `save` did not write, or not quite, or for a model with other layers (names,
   *   order and channels must be the same).
   * @throws {StatisticsBankError} if the bank is disposed.
   */
  load(file: Uint8Array | ArrayBuffer): string[] {
    this.#checkLayers();
    const bytes = ArrayBuffer.isView(file) ? file : new Uint8Array(file);
    const loaded = new Map<string, HeldStatistics>();
    let current = '';
    try {
      for (const [name, values] of decodeBank(bytes, this.#shapes())) {
        const statistics = this.#layers.map((layer, i) => ({ name: layer.name, ...values[i]! }));
        current = name;
        loaded.set(name, this.#hold(statistics));
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

  #hold(statistics: ModelStatistics): HeldStatistics {
    checkStatistics(this.#model, statistics);
    return new HeldStatistics(valuesOf(statistics));
  }

  #put(domains: ReadonlyMap<string, HeldStatistics>): void {
    for (const [name, domain] of domains) {
      this.#domains.get(name)?.dispose();
      this.#domains.set(name, domain);
    }
  }

  #domain(name: string): HeldStatistics {
    this.#checkAlive();
    const domain = this.#domains.get(name);
    if (domain !== undefined) return domain;
    const known = this.names.map((one) => `'${one}'`).join(', ');
    throw new UnknownDomainError(
      `The bank has no domain '${name}'. ${known === '' ? 'It has none yet: use set, capture or load.' : `It has ${known}.`}`,
    );
  }

  #shapes(): LayerShape[] {
    return this.#layers.map(({ name, movingMean }) => ({ name, channels: movingMean.shape[0]! }));
  }

  /** The moving statistics of the model, known to be there and to be of the bank's shapes. */
  #variables() {
    this.#checkLayers();
    const variables = variablesOf(this.#layers);
    for (const variable of variables) {
      try {
        variable.read();
      } catch (error) {
        throw new StatisticsBankError(
          `'${variable.name}' of model '${this.#model.name}' is disposed. Make a bank for a model that is still in use; ` +
            'save and load move the domains.',
          { cause: error },
        );
      }
    }
    return variables;
  }

  #checkLayers(): void {
    this.#checkAlive();
    const layers = findBatchNormLayers(this.#model);
    if (layers.length === this.#layers.length && layers.every((layer, i) => layer === this.#layers[i]))
      return;
    throw new StatisticsBankError(
      `Expected model '${this.#model.name}' to have the ${this.#layers.length} batch normalization layers that it had ` +
        `when the bank was made, got ${layers.length} (${layers.map(({ name }) => name).join(', ')}). ` +
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
 * @throws {NoBatchNormError} if the model has no batch normalization layer or is not built.
 */
export function statisticsBank(model: tfl.LayersModel): StatisticsBank {
  return new StatisticsBank(model);
}

function valuesOf(statistics: ModelStatistics) {
  return statistics.map(({ mean, variance }) => ({
    mean: Float32Array.from(mean),
    variance: Float32Array.from(variance),
  }));
}

function checkName(name: unknown): void {
  if (isDomainName(name)) return;
  throw new StatisticsBankError(
    `Expected the name of a domain to be a non-empty string of whole characters, got ${JSON.stringify(name)}.`,
  );
}
