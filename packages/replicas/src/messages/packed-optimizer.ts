// Optimizers from thread to thread.
import * as tf from '@tensorflow/tfjs-core';
import { ReplicaSetupError } from '../errors.ts';
import { type Encoded, encode, nameIn } from './encoded.ts';
import type { PackedModel } from './messages.ts';

/**
 * The optimizer of a model that came from another thread, without its state.
 *
 * @throws {ReplicaSetupError} if this thread does not know its class.
 */
export function optimizerOf({ optimizer: { className, config } }: PackedModel): tf.Optimizer {
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  const [cls, fromConfig] = classNameMap[className] ?? [];
  if (cls === undefined || fromConfig === undefined) {
    throw new ReplicaSetupError(
      `serveReplica: there is no optimizer of class ${className} in this thread. Make it here: ` +
        'serveReplica(port, { optimizer: () => ... }).',
    );
  }
  return fromConfig(cls, config as tf.serialization.ConfigDict) as tf.Optimizer;
}

/**
 * The state of an optimizer.
 *
 * @throws {ReplicaSetupError} if it cannot save its state.
 */
export async function stateOf(optimizer: tf.Optimizer): Promise<Encoded> {
  const weights = await weightsOf(optimizer);
  const encoded = await encode(weights);
  disposeCopies(weights);
  return encoded;
}

/** Brings an optimizer to a state. */
export async function setState(optimizer: tf.Optimizer, { data, specs }: Encoded): Promise<void> {
  const before = await weightsOf(optimizer);
  const decoded = tf.io.decodeWeights(data, specs);
  await optimizer.setWeights(specs.map(({ name }) => ({ name: nameIn(name), tensor: decoded[name]! })));
  tf.dispose([decoded, before.map(({ tensor }) => tensor)]);
}

async function weightsOf(optimizer: tf.Optimizer) {
  try {
    return await optimizer.getWeights();
  } catch (cause) {
    throw new ReplicaSetupError(
      `trainReplicas: the optimizer ${optimizer.getClassName()} cannot save its state, so it cannot be brought to the ` +
        'replicas and back. Use another one, such as momentum or Adam.',
      { cause },
    );
  }
}

/** The count of iterations is a tensor made for the caller; all others are the optimizer's own variables. */
function disposeCopies(weights: readonly { tensor: tf.Tensor }[]): void {
  for (const { tensor } of weights) if (!(tensor instanceof tf.Variable)) tensor.dispose();
}
