import { setGroup } from '@rebatch/leakage';
import { releaseTape } from '@rebatch/leakage/~internal';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { PackedState, StepOfReplica } from '../messages/messages.ts';
import { type PackedBatch, unpack } from '../messages/packed-batch.ts';
import { packState, trainedWeights } from '../messages/packed-model.ts';
import type { SharedGroup } from '../shared-memory/shared-group.ts';
import { type NamedGradient, reduceOverReplicas } from './reduce-over-replicas.ts';

/** A step that is being made. */
interface StepAtWork {
  readonly step: number;
  readonly samples: number;
  /** Samples of all replicas. */
  readonly total: number;
  reduceMs: number;
  committed: boolean;
}

/**
 * One replica's model in data-parallel training. Its optimizer is intercepted: it minimizes this replica's share of the
 * loss, the gradients are added up over all replicas, and are applied once all have voted for it.
 * Weights that are not trained, such as moving statistics, are averaged by samples likewise, so that all replicas stay
 * the same to the bit: synchronized layers have the same on each anyway; layers that are not keep what Ghost BN would.
 */
export class Replica {
  private readonly model: tfl.LayersModel;
  private readonly group: SharedGroup;
  private readonly applyGradients: (gradients: NamedGradient[]) => void;
  private readonly trained: readonly tf.Variable[];
  private readonly untrained: readonly tf.Variable[];
  private steps = 0;
  private intact = true;
  private atWork: StepAtWork | undefined;

  constructor(model: tfl.LayersModel, group: SharedGroup) {
    this.model = model;
    this.group = group;
    setGroup(model, group);
    const variable = (weight: tfl.LayerVariable) => weight.read() as tf.Variable;
    this.trained = trainedWeights(model).map(variable);
    this.untrained = model.weights.map(variable).filter((weight) => !this.trained.includes(weight));
    const { optimizer } = model;
    this.applyGradients = optimizer.applyGradients.bind(optimizer);
    // The optimizer is this replica's own: it was made with the model.
    optimizer.computeGradients = (loss, variables) => this.gradientsOfShare(loss, variables);
    optimizer.applyGradients = (gradients) => this.reduceAndApply(gradients as NamedGradient[]);
  }

  /**
   * One step. If it fails, the weights are as before it.
   *
   * @param batch this replica's samples; undefined for none.
   * @param total samples of all replicas.
   * @throws {ReplicaError} if a replica has ended the work of the group; and whatever the model throws.
   */
  async step(step: number, batch: PackedBatch | undefined, total: number): Promise<StepOfReplica> {
    const start = performance.now();
    const waited = this.group.waitedMs;
    const samples = batch?.samples ?? 0;
    const atWork: StepAtWork = { step, samples, total, reduceMs: 0, committed: false };
    this.atWork = atWork;
    const before = this.model.weights.map((weight) => tf.keep(tf.clone(weight.read())));
    let losses: number[] = [];
    try {
      if (batch === undefined) this.reduceAndApply([]);
      else losses = await this.train(batch);
      this.steps = step;
    } catch (error) {
      for (const [at, weight] of this.model.weights.entries()) {
        (weight.read() as tf.Variable).assign(before[at]!);
      }
      // The optimizer may have moved some of its accumulators, which are not kept.
      if (atWork.committed) this.intact = false;
      throw error;
    } finally {
      tf.dispose(before);
      this.atWork = undefined;
    }
    const { reduceMs } = atWork;
    return { samples, losses, ms: performance.now() - start, waitMs: this.group.waitedMs - waited, reduceMs };
  }

  /** Where the replica is; undefined if a failed step may have left the optimizer between two steps. */
  async state(): Promise<PackedState | undefined> {
    return this.intact ? packState(this.model, this.steps) : undefined;
  }

  dispose(): void {
    const { optimizer } = this.model;
    this.model.dispose();
    // Upstream's momentum forgets one of its scalars.
    for (const value of Object.values(optimizer)) if (value instanceof tf.Tensor) value.dispose();
    optimizer.dispose();
  }

  private async train(batch: PackedBatch): Promise<number[]> {
    tf.engine().startScope('replica');
    try {
      const { xs, ys } = unpack(batch);
      const losses = await this.model.trainOnBatch(xs as tf.Tensor, ys as tf.Tensor);
      return Array.isArray(losses) ? losses : [losses];
    } catch (error) {
      releaseTape();
      throw error;
    } finally {
      tf.engine().endScope();
    }
  }

  /**
   * The gradients of this replica's share of the mean loss over all samples. The loss itself is weighted, not its
   * gradients: the backward pass of synchronized layers adds up what comes from several replicas.
   */
  private gradientsOfShare(loss: () => tf.Scalar, variables?: tf.Variable[]) {
    const { samples, total } = this.atWork!;
    const { value: share, grads } = tf.variableGrads(() => tf.mul(loss(), samples / total), variables);
    const value = tf.mul(share, total / samples) as tf.Scalar;
    share.dispose();
    return { value, grads };
  }

  /** What the optimizer calls with this replica's gradients; with none, where it has no samples. */
  private reduceAndApply(gradients: NamedGradient[]): void {
    const atWork = this.atWork!;
    const start = performance.now();
    const waited = this.group.waitedMs;
    const { trained, untrained } = reduceOverReplicas(this.group, {
      trained: this.trained,
      untrained: this.untrained,
      gradients,
      samples: atWork.samples,
      total: atWork.total,
    });
    atWork.reduceMs = performance.now() - start - (this.group.waitedMs - waited);
    try {
      this.group.commit(atWork.step);
      atWork.committed = true;
      for (const { variable, value } of untrained) variable.assign(value);
      this.applyGradients(
        trained.map(({ variable, value }) => ({ name: variable.name, tensor: value as tf.Tensor })),
      );
    } finally {
      tf.dispose([...trained, ...untrained].flatMap(({ value }) => value ?? []));
    }
  }
}
