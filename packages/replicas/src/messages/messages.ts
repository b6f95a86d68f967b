// What trainReplicas and serveReplica say to each other. Everything can be cloned from thread to thread.
import type { StatisticsSettings } from '@rebatch/layers';
import type { io } from '@tensorflow/tfjs-core';
import type { GroupMemory } from '../shared-memory/memory.ts';
import type { Encoded } from './encoded.ts';
import type { PackedBatch } from './packed-batch.ts';

/** A compiled model. What is a function cannot be sent, and is missing. */
export interface PackedModel {
  readonly artifacts: io.ModelArtifacts;
  /** The weights that the optimizer is given, in its order; one may have been frozen since the model was compiled. */
  readonly trained: readonly { readonly name: string; readonly trainable: boolean }[];
  /** By name of the layer, the settings of those of @rebatch/layers, which the stock class of that name ignores. */
  readonly settings: Readonly<Record<string, StatisticsSettings>>;
  readonly optimizer: { readonly className: string; readonly config: object; readonly state: Encoded };
  readonly loss?: unknown;
  readonly metrics?: unknown;
}

/** Where a replica's model and optimizer are. */
export interface PackedState {
  /** Steps taken since the start. */
  readonly steps: number;
  readonly weights: Encoded;
  readonly optimizer: Encoded;
}

/** To a replica. */
export type Order =
  | {
      readonly kind: 'start';
      readonly memory: GroupMemory;
      readonly rank: number;
      readonly model: PackedModel;
    }
  | {
      readonly kind: 'step';
      readonly step: number;
      readonly batch: PackedBatch | undefined;
      readonly total: number;
    }
  | { readonly kind: 'finish'; readonly state: boolean }
  | { readonly kind: 'stop' };

/** From a replica. */
export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'joined' }
  | ({ readonly kind: 'stepped'; readonly step: number } & StepOfReplica)
  | { readonly kind: 'finished'; readonly checksum: number; readonly state: PackedState | undefined }
  | { readonly kind: 'ended'; readonly state: PackedState | undefined };

/** What a replica did in a step. */
export interface StepOfReplica {
  readonly samples: number;
  /** Loss and metrics over its samples; empty without any. */
  readonly losses: readonly number[];
  /** Milliseconds that the step took it, that it waited until others arrived, and that it spent on adding gradients up. */
  readonly ms: number;
  readonly waitMs: number;
  readonly reduceMs: number;
}

const MARK = '@rebatch/replicas';

/**
 * A message with what tells it from those of others on the same port, and from those of another training.
 *
 * @param training names one call of `trainReplicas`.
 */
export function sealed(training: string, message: Order | Answer): object {
  return { mark: MARK, training, message };
}

/** A message that was sealed, and the training that it belongs to; undefined for any other message. */
export function opened<Message>(data: unknown): { training: string; message: Message } | undefined {
  if (typeof data !== 'object' || data === null || !('mark' in data) || data.mark !== MARK) return undefined;
  return data as unknown as { training: string; message: Message };
}
