import type { StepOfReplica } from '../messages/messages.ts';

/** What data-parallel training did, as a plain object. */
export interface TrainReport {
  readonly steps: number;
  readonly samples: number;
  /** Loss and metrics per epoch, by the names that `fit` uses: means over samples. */
  readonly history: Readonly<Record<string, readonly number[]>>;
  /** Milliseconds of all steps, as the slowest replica of each saw it. */
  readonly ms: number;
  /** Which part of that replicas waited until others arrived, on average. */
  readonly waitShare: number;
  /** Which part of that replicas spent on adding up gradients, without waiting, on average. */
  readonly reduceShare: number;
}

/** Adds up what steps did. */
export class History {
  private readonly names: readonly string[];
  private readonly epochs: { samples: number; sums: number[] }[] = [];
  private steps = 0;
  private ms = 0;
  private waitMs = 0;
  private reduceMs = 0;

  constructor(names: readonly string[]) {
    this.names = names;
  }

  /** Takes a step into account; returns its loss and metrics, as means over its samples. */
  add(epoch: number, replicas: readonly StepOfReplica[]): Record<string, number> {
    const samples = replicas.reduce((sum, replica) => sum + replica.samples, 0);
    const sums = this.names.map((_, at) =>
      replicas.reduce((sum, replica) => sum + (replica.losses[at] ?? 0) * replica.samples, 0),
    );
    this.epochs[epoch] ??= { samples: 0, sums: this.names.map(() => 0) };
    const entry = this.epochs[epoch]!;
    entry.samples += samples;
    sums.forEach((sum, at) => {
      entry.sums[at]! += sum;
    });
    const mean = (of: 'waitMs' | 'reduceMs') =>
      replicas.reduce((sum, replica) => sum + replica[of] / replicas.length, 0);
    this.steps++;
    this.ms += Math.max(...replicas.map(({ ms }) => ms));
    this.waitMs += mean('waitMs');
    this.reduceMs += mean('reduceMs');
    return Object.fromEntries(this.names.map((name, at) => [name, sums[at]! / samples]));
  }

  report(): TrainReport {
    const { steps, ms, epochs } = this;
    return {
      steps,
      samples: epochs.reduce((sum, epoch) => sum + epoch.samples, 0),
      history: Object.fromEntries(
        this.names.map((name, at) => [name, epochs.map(({ sums, samples }) => sums[at]! / samples)]),
      ),
      ms,
      waitShare: ms === 0 ? 0 : this.waitMs / ms,
      reduceShare: ms === 0 ? 0 : this.reduceMs / ms,
    };
  }
}
