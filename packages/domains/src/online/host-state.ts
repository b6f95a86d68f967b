// The state on the host: for backends whose tensors lie in its memory.
import type { ModelStatistics } from '@rebatch/models';
import * as tf from '@tensorflow/tfjs-core';
import { type Match, matchOnHost, packed } from './matched.ts';
import type { OnlineState, ReportNonFinite } from './online-state.ts';
import type { OnlineSettings } from './options.ts';
import { blend, NO_WEIGHTS, targetShare, unpacked, type Weights, withFrame } from './weights.ts';

/** Means, then variances: [2, channels]. */
type Packed = Float64Array;

/** One site. The arrays are swapped, not copied, when a frame ends. */
interface SiteState {
  readonly name: string;
  readonly source: Packed;
  /** What the prior counts for: the source, or the reference. */
  readonly prior: Packed;
  /** Makes of the target's moments the statistics that match them to the reference, in place. */
  readonly match: ((target: Packed) => void) | undefined;
  /** The mixture of the frames so far, and their weights. */
  target: Packed;
  weights: Weights;
  /** The same with the frame that was begun, once the site was applied in it. */
  next: Packed;
  nextWeights: Weights;
  /** The moments of this frame's applications so far, and the values per channel in them; 0 if there were none. */
  readonly frame: Packed;
  values: number;
}

export class HostState implements OnlineState {
  readonly #settings: OnlineSettings;
  readonly #report: ReportNonFinite;
  readonly #sites: readonly SiteState[];
  #frames = 0;
  #samples = 0;
  /** The first site of this frame that received something not finite. */
  #flawed: number | undefined;

  /** @param source the model's statistics, in the order of the sites. */
  constructor(
    source: ModelStatistics,
    matches: readonly (Match | undefined)[],
    settings: OnlineSettings,
    report: ReportNonFinite,
  ) {
    this.#settings = settings;
    this.#report = report;
    this.#sites = source.map(({ name, ...stored }, i) => {
      const source = packed(stored);
      const own = matches[i];
      const prior = own === undefined ? source : packed(own.reference);
      const match = own && matchOnHost(source, own);
      const [target, next, frame] = [source.slice(), source.slice(), source.slice()];
      return {
        name,
        source,
        prior,
        match,
        target,
        next,
        frame,
        weights: NO_WEIGHTS,
        nextWeights: NO_WEIGHTS,
        values: 0,
      };
    });
  }

  begin(samples: number): void {
    this.#samples = samples;
  }

  take(number: number, moments: tf.Tensor3D, values: number): tf.Tensor3D {
    const layer = this.#sites[number]!;
    const { decay, prior } = this.#settings;
    const seen = moments.dataSync<'float32'>();
    if (!allFinite(seen)) this.#flawed ??= number;
    layer.values += values;
    mix(layer.frame, seen, values / layer.values, layer.frame);
    layer.nextWeights = withFrame(layer.weights, decay, this.#samples);
    mix(layer.target, layer.frame, this.#samples / layer.nextWeights.sum, layer.next);
    const share = targetShare(layer.nextWeights, prior);
    if (layer.match === undefined) {
      const both = new Float32Array(seen.length);
      blend(layer.prior, layer.next, share, both);
      return tf.tensor3d(both, moments.shape);
    }
    return tf.tensor3d(Float32Array.from(matched(layer, layer.next, share)), moments.shape);
  }

  finish(): void {
    if (this.#flawed === undefined) {
      for (const layer of this.#sites) {
        if (layer.values === 0) continue;
        [layer.target, layer.next] = [layer.next, layer.target];
        layer.weights = layer.nextWeights;
      }
    } else this.#report(this.#frames, this.#flawed);
    this.#frames += 1;
    this.abort();
  }

  abort(): void {
    for (const layer of this.#sites) layer.values = 0;
    this.#flawed = undefined;
  }

  async statistics(): Promise<ModelStatistics> {
    return this.#sites.map((site) => {
      const both = matched(site, site.target, targetShare(site.weights, this.#settings.prior));
      return { name: site.name, ...unpacked(both) };
    });
  }

  dispose(): void {}
}

/** The statistics that follow from the target's moments, packed. */
function matched({ prior, match }: SiteState, target: Packed, share: number): Packed {
  const both = new Float64Array(target.length);
  blend(prior, target, share, both);
  // Something that is not finite is reported when the frame ends.
  if (match !== undefined && both.every(Number.isFinite)) match(both);
  return both;
}

/** The moments of the mixture of (1 - share) of one and share of the other, packed; `into` may be `one`. */
function mix(one: Packed, other: ArrayLike<number>, share: number, into: Packed): void {
  if (share === 1) {
    // All of the other, whatever the one holds.
    into.set(other);
    return;
  }
  const channels = into.length / 2;
  const rest = 1 - share;
  for (let mean = 0, variance = channels; mean < channels; mean++, variance++) {
    const apart = other[mean]! - one[mean]!;
    into[mean] = rest * one[mean]! + share * other[mean]!;
    into[variance] = rest * one[variance]! + share * other[variance]! + share * rest * apart * apart;
  }
}

function allFinite(values: Float32Array): boolean {
  // A loop, not `every`: this runs for each layer of each frame.
  for (const value of values) if (!Number.isFinite(value)) return false;
  return true;
}
