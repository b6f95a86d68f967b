// Trains a detector on scenes, step by step, interruptible in between.

import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { SeedContext } from '../../../experiment.ts';
import { shuffledBatches } from '../../../training/shuffle.ts';
import { cosineDecay } from '../../../training/training.ts';
import type { Anchor, Level } from './anchors.ts';
import { boxLoss, focalLoss } from './losses.ts';
import { type Scene, sceneTensor } from './scenes.ts';
import { assignTargets } from './targets.ts';

export interface DetectorTrainingOptions {
  readonly seed: number;
  /** Scenes per step. */
  readonly batch: number;
  readonly steps: number;
  /** Of Adam, at its peak: it rises linearly for so many steps, and then falls by half a cosine over all of them. */
  readonly learningRate: number;
  readonly warmup: number;
}

/** Where the digits are, for the targets. */
export interface Layout {
  readonly anchors: readonly Anchor[];
  readonly levels: readonly Level[];
  readonly classes: number;
}

/** tf.train's Adam, whose learning rate is given once and for all. */
class Adam extends tf.AdamOptimizer {
  setLearningRate(learningRate: number): void {
    this.learningRate = learningRate;
  }
}

/** Trains the model in place, on shuffled epochs of the scenes. @returns the loss of each step. */
export async function trainDetector(
  model: tfl.LayersModel,
  scenes: readonly Scene[],
  layout: Layout,
  options: DetectorTrainingOptions,
  { signal, advance }: SeedContext,
  what: string,
): Promise<number[]> {
  const { seed, batch, steps, learningRate, warmup } = options;
  const batches = shuffledBatches(scenes.length, batch, seed);
  const optimizer = new Adam(learningRate, 0.9, 0.999);
  const losses: number[] = [];
  try {
    for (let step = 0; step < steps; step++) {
      // Lets an interruption arrive: a step itself never waits.
      await setImmediate();
      signal.throwIfAborted();
      optimizer.setLearningRate(Math.min(1, (step + 1) / warmup) * cosineDecay(learningRate, step, steps));
      const chosen = batches.next().value!.map((i: number) => scenes[i]!);
      losses.push(trainStep(model, optimizer, chosen, layout));
      advance(what);
    }
  } finally {
    optimizer.dispose();
  }
  return losses;
}

/** One step; both losses are sums over the digits' anchors, and count per anchor that has a digit. */
function trainStep(
  model: tfl.LayersModel,
  optimizer: tf.Optimizer,
  scenes: readonly Scene[],
  { anchors, levels, classes }: Layout,
): number {
  const targets = assignTargets(scenes, anchors, levels, classes);
  const digits = Math.max(
    1,
    targets.positive.reduce((a, b) => a + b, 0),
  );
  return tf.tidy(() => {
    const xs = sceneTensor(scenes);
    const shape = [scenes.length, anchors.length] as const;
    const [wantedClasses, wantedBoxes] = [
      tf.tensor3d(targets.classes, [...shape, classes]),
      tf.tensor3d(targets.boxes, [...shape, 4]),
    ];
    const positive = tf.tensor2d(targets.positive, [...shape]);
    const loss = () => {
      const [logits, codes] = model.apply(xs, { training: true }) as tf.Tensor[];
      const both = tf.add(focalLoss(logits!, wantedClasses), boxLoss(codes!, wantedBoxes, positive));
      return tf.div(both, digits) as tf.Scalar;
    };
    return optimizer.minimize(loss, true)!.dataSync()[0]!;
  });
}
