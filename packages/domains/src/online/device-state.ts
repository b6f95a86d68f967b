// The state on the device: for backends that would have to wait for the host to read it.
import { mergePackedMoments } from '@rebatch/core/~internal';
import type { ModelStatistics, NormalizedModel } from '@rebatch/models';
import * as tf from '@tensorflow/tfjs-core';
import {
  type DeviceMatch,
  deviceMatch,
  disposeMatch,
  type Match,
  matchOnDevice,
  matchOnHost,
  packed,
} from './matched.ts';
import type { OnlineState, ReportNonFinite } from './online-state.ts';
import type { OnlineSettings } from './options.ts';
import { blend, targetShare, unpacked } from './weights.ts';

/** All moments here are [2, 1, channels]. */
interface SiteState {
  readonly name: string;
  readonly source: tf.Tensor3D;
  /** What it is matched to, and the same on the device. */
  readonly match: (Match & { readonly onDevice: DeviceMatch }) | undefined;
  /** The mixture of the frames so far. */
  target: tf.Tensor3D;
  /** S and Q, [2]: one tensor for all sites that were applied in the same frames. */
  weights: tf.Tensor;
}

/** What the frame that was begun makes of weights. */
interface NextWeights {
  readonly weights: tf.Tensor;
  /** 1 - a and a, [2, 1]. */
  readonly shares: tf.Tensor;
  /** 1 - w and w, scalars. */
  readonly source: tf.Tensor;
  readonly target: tf.Tensor;
}

/** What the frame that was begun has brought for one site. */
interface Taken {
  readonly frame: tf.Tensor3D;
  readonly values: number;
  /** The mixture with this frame. */
  readonly next: tf.Tensor3D;
}

export class DeviceState implements OnlineState {
  readonly #settings: OnlineSettings;
  readonly #report: ReportNonFinite;
  readonly #sites: readonly SiteState[];
  /** Of the frame that was begun: by site in the order of application, and by the weights before it. */
  readonly #taken = new Map<number, Taken>();
  readonly #next = new Map<tf.Tensor, NextWeights>();
  /** Whether frames were finite, on its way from the device. */
  readonly #checks = new Set<Promise<void>>();
  #frames = 0;
  #samples = 0;
  #disposed = false;

  /** Reads the statistics that the model has now. */
  constructor(
    model: NormalizedModel,
    matches: readonly (Match | undefined)[],
    settings: OnlineSettings,
    report: ReportNonFinite,
  ) {
    this.#settings = settings;
    this.#report = report;
    const weights = tf.keep(tf.zeros([2]));
    const stored = model.stored();
    this.#sites = model.sites.map(({ name }, i) => {
      const { mean, variance } = stored[i]!;
      const source = kept(() => tf.expandDims(tf.stack([mean, variance]), 1));
      const own = matches[i];
      const match = own && { ...own, onDevice: deviceMatch(own) };
      return { name, source, match, target: kept(() => tf.zerosLike(source)), weights };
    });
  }

  begin(samples: number): void {
    this.#samples = samples;
  }

  take(number: number, moments: tf.Tensor3D, values: number): tf.Tensor3D {
    const { source, match, target, weights } = this.#sites[number]!;
    const before = this.#taken.get(number);
    const all = values + (before?.values ?? 0);
    const frame = kept(() => {
      if (before === undefined) return tf.clone(moments);
      const shares = tf.tensor2d([before.values / all, values / all], [2, 1]);
      return mergePackedMoments(tf.concat([before.frame, moments], 1), shares);
    });
    const shares = this.#nextWeights(weights);
    const next = kept(() => mergePackedMoments(tf.concat([target, frame], 1), shares.shares));
    if (before !== undefined) tf.dispose([before.frame, before.next]);
    this.#taken.set(number, { frame, values: all, next });
    const blended = () =>
      this.#settings.prior === 0
        ? next
        : (tf.add(
            tf.mul(match?.onDevice.reference ?? source, shares.source),
            tf.mul(next, shares.target),
          ) as tf.Tensor3D);
    if (match === undefined && this.#settings.prior === 0) return next;
    return tf.tidy(() =>
      match === undefined ? blended() : matchOnDevice(source, match.onDevice, blended()),
    );
  }

  finish(): void {
    const taken = [...this.#taken];
    if (taken.length > 0) {
      const flags = kept(() => tf.stack(taken.map(([, { next }]) => tf.all(tf.isFinite(next)))));
      this.#replace(flags);
      const check = this.#check(
        flags,
        taken.map(([number]) => number),
        this.#frames,
      );
      this.#checks.add(check);
      // A device that is lost fails whatever comes next; no need to hear of it from here.
      check.finally(() => this.#checks.delete(check)).catch(() => {});
    }
    this.#frames += 1;
    this.abort();
  }

  abort(): void {
    for (const { frame, next } of this.#taken.values()) tf.dispose([frame, next]);
    for (const next of this.#next.values()) tf.dispose({ ...next });
    this.#taken.clear();
    this.#next.clear();
  }

  async statistics(): Promise<ModelStatistics> {
    const packed = tf.tidy(() =>
      tf.concat(
        this.#sites.flatMap(({ source, target, weights }) =>
          [source, target, weights].map((tensor) => tf.reshape(tensor, [tensor.size])),
        ),
      ),
    );
    const checks = [...this.#checks];
    try {
      const values = await packed.data<'float32'>();
      await Promise.all(checks);
      return this.#unpack(values);
    } finally {
      packed.dispose();
    }
  }

  dispose(): void {
    this.abort();
    for (const { source, match, target, weights } of this.#sites) {
      tf.dispose([source, target, weights]);
      if (match !== undefined) disposeMatch(match.onDevice);
    }
    this.#disposed = true;
  }

  /** The weights with this frame, computed once for all sites that have the same. */
  #nextWeights(before: tf.Tensor): NextWeights {
    const known = this.#next.get(before);
    if (known !== undefined) return known;
    const { decay, prior } = this.#settings;
    const samples = this.#samples;
    const next = tf.tidy(() => {
      const weights = tf.add(tf.mul(before, tf.tensor1d([decay, decay * decay])), samples);
      const [sum, squares] = tf.unstack(weights) as [tf.Tensor, tf.Tensor];
      const share = tf.div(samples, sum);
      const effective = tf.div(tf.square(sum), squares);
      const target = tf.div(effective, tf.add(effective, prior));
      const shares = tf.reshape(tf.stack([tf.sub(1, share), share]), [2, 1]);
      const all = { weights, shares, source: tf.sub(1, target), target };
      for (const tensor of Object.values(all)) tf.keep(tensor);
      return all;
    });
    this.#next.set(before, next);
    return next;
  }

  /** Puts what the frame has brought in the place of what was before, if all flags say that it is finite. */
  #replace(flags: tf.Tensor): void {
    const unused = tf.tidy(() => {
      const finite = tf.all(flags);
      const select = <T extends tf.Tensor>(next: T, before: T): T => tf.keep(tf.where(finite, next, before));
      const weights = new Map(
        [...this.#next].map(([before, next]) => [before, select(next.weights, before)]),
      );
      const targets = [...this.#taken].map(([number, { next }]) => {
        const layer = this.#sites[number]!;
        const before = layer.target;
        layer.target = select(next, before);
        layer.weights = weights.get(layer.weights)!;
        return before;
      });
      const left = new Set(this.#sites.map((layer) => layer.weights));
      return [...targets, ...[...weights.keys()].filter((before) => !left.has(before))];
    });
    tf.dispose(unused);
  }

  /** Reads the flags, and reports the first site whose flag is not set. */
  async #check(flags: tf.Tensor, sites: readonly number[], frame: number): Promise<void> {
    try {
      const at = (await flags.data()).indexOf(0);
      if (at >= 0 && !this.#disposed) this.#report(frame, sites[at]!);
    } finally {
      flags.dispose();
    }
  }

  #unpack(values: Float32Array): ModelStatistics {
    let offset = 0;
    const take = (length: number) => {
      offset += length;
      return values.subarray(offset - length, offset);
    };
    return this.#sites.map((layer) => {
      const [source, target] = [take(layer.source.size), take(layer.source.size)];
      const [sum, squares] = take(2) as unknown as [number, number];
      const share = targetShare({ sum, squares }, this.#settings.prior);
      const both = new Float64Array(source.length);
      const { match } = layer;
      blend(match === undefined ? source : packed(match.reference), target, share, both);
      if (match !== undefined) matchOnHost(Float64Array.from(source), match)(both);
      return { name: layer.name, ...unpacked(both) };
    });
  }
}

/** The result alone of what is computed, kept until it is disposed. */
function kept(compute: () => tf.Tensor): tf.Tensor3D {
  return tf.keep(tf.tidy(compute)) as tf.Tensor3D;
}
