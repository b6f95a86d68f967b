import * as tf from '@tensorflow/tfjs-core';

export interface NesterovSettings {
  /** Weight of the past in the velocity. */
  readonly momentum: number;
  /** Of all trained weights, biases and affines included, as PyTorch's SGD has it. */
  readonly weightDecay: number;
}

/**
 * SGD with Nesterov momentum and weight decay, as PyTorch's `SGD`: g = gradient + decay * w, v = momentum * v + g,
 * w -= rate * (g + momentum * v). Its state is the velocities, so that a training can go on in another process.
 */
export class Nesterov {
  readonly #settings: NesterovSettings;
  readonly #variables: readonly tf.Variable[];
  readonly #velocities: readonly tf.Variable[];

  /** @param variables those that are trained; owned by the caller. */
  constructor(variables: readonly tf.Variable[], settings: NesterovSettings) {
    this.#settings = settings;
    this.#variables = variables;
    this.#velocities = variables.map((v) => tf.tidy(() => tf.variable(tf.zerosLike(v), false)));
  }

  /** Zero before the first step; in the order of the variables. */
  get velocities(): readonly tf.Variable[] {
    return this.#velocities;
  }

  /** One step down the gradient of the loss, at this rate. */
  minimize(loss: () => tf.Scalar, rate: number): void {
    const { momentum, weightDecay } = this.#settings;
    tf.tidy(() => {
      const { grads } = tf.variableGrads(loss, [...this.#variables]);
      for (const [i, variable] of this.#variables.entries()) {
        const velocity = this.#velocities[i]!;
        const own = grads[variable.name] ?? null;
        // A constant, such as gamma of a frozen layer: it does not decay, either.
        if (own === null) continue;
        const gradient = tf.add(own, tf.mul(variable, weightDecay));
        velocity.assign(tf.add(tf.mul(velocity, momentum), gradient));
        variable.assign(tf.sub(variable, tf.mul(rate, tf.add(gradient, tf.mul(velocity, momentum)))));
      }
    });
  }

  dispose(): void {
    tf.dispose([...this.#velocities]);
  }
}
