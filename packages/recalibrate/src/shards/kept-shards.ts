// What a measurer keeps between requests in mode 'layerwise', and which requests it may serve: each gets what it would get
// of a measurer that keeps nothing.
import type { MeanAndVariance } from '@rebatch/stats';
import type { Activations } from '../layerwise/activations.ts';
import { DeviceStatistics } from '../layerwise/measure.ts';
import type { ShardRequest } from './shard.ts';

type Statistics = ShardRequest['statistics'];

/** The statistics of a pass on the device. */
interface Ready {
  readonly statistics: Statistics;
  readonly device: DeviceStatistics;
  users: number;
}

/** The statistics that were asked for last, on the device for all shards that ask for the same. */
export class ReadyStatistics {
  #last: Ready | undefined;

  /** `end` what it returns. */
  begin(statistics: Statistics): Ready {
    if (this.#last === undefined || !areEqual(this.#last.statistics, statistics)) {
      this.dispose();
      const device = new DeviceStatistics();
      try {
        statistics.forEach((moments, site) => {
          if (moments) device.set(site, moments);
        });
      } catch (error) {
        device.dispose();
        throw error;
      }
      this.#last = { statistics, device, users: 0 };
    }
    this.#last.users += 1;
    return this.#last;
  }

  end(ready: Ready): void {
    ready.users -= 1;
    if (ready.users === 0 && ready !== this.#last) ready.device.dispose();
  }

  /** Shards that are being measured keep theirs until they end. */
  dispose(): void {
    if (this.#last?.users === 0) this.#last.device.dispose();
    this.#last = undefined;
  }
}

/** A shard between two passes, and the request that it was measured for. */
interface KeptShard {
  readonly activations: Activations;
  readonly request: ShardRequest;
}

/** Shards between two passes. */
export class KeptShards {
  /** By the positions of their first batches. */
  readonly #kept = new Map<number, KeptShard>();
  /** Shards whose first pass ran more than once: whether of the same data, nobody knows, so that nothing of it is kept. */
  readonly #ambiguous = new Set<number>();

  get bytes(): number {
    return [...this.#kept.values()].reduce((sum, { activations }) => sum + activations.bytes, 0);
  }

  /** What is kept of a shard from earlier passes of the same recalibration; it is not kept here any more. */
  take({ first, batches, pass, statistics }: ShardRequest): Activations | undefined {
    const kept = this.#kept.get(first);
    this.#kept.delete(first);
    if (kept === undefined) return undefined;
    const { activations, request } = kept;
    const isOfBefore = request.pass < pass && request.batches === batches;
    if (isOfBefore && agree(request.statistics, statistics)) return activations;
    // The shard is measured once more, so that what this pass measured on is gone; or it is another one.
    activations.dispose();
    if (pass === 1) this.#ambiguous.add(first);
    return undefined;
  }

  keep(shard: KeptShard): void {
    const { first, pass } = shard.request;
    const other = this.#kept.get(first);
    this.#kept.delete(first);
    other?.activations.dispose();
    if (other && pass === 1) this.#ambiguous.add(first);
    if (pass === 1 && this.#ambiguous.has(first)) shard.activations.dispose();
    else this.#kept.set(first, shard);
  }

  dispose(): void {
    for (const { activations } of this.#kept.values()) activations.dispose();
    this.#kept.clear();
    this.#ambiguous.clear();
  }
}

/** Whether statistics can be of one recalibration: those of sites that both have are the same. */
function agree(before: Statistics, now: Statistics): boolean {
  return before.every((one, site) => {
    const other = now[site];
    return one == null || other == null || isSame(one, other);
  });
}

function areEqual(before: Statistics, now: Statistics): boolean {
  return agree(before, now) && before.every((one, site) => (one == null) === (now[site] == null));
}

function isSame(a: MeanAndVariance, b: MeanAndVariance): boolean {
  return (
    a.mean.every((value, c) => value === b.mean[c]) && a.variance.every((value, c) => value === b.variance[c])
  );
}
