// The steps of a training that the page watches, with measurements in between: worker side.

import type { Run } from '../lab/task.ts';

/** What a training does in each step. */
export interface MeasuredSteps {
  readonly steps: number;
  /** Measured after the first step, and after each of so many. */
  readonly measureEvery: number;
  /** One SGD step. Gives its loss, and whether to measure after it in any case. */
  train(step: number): Promise<{ readonly loss: number; readonly measured?: boolean }>;
  /** Measures, and tells the page. */
  measure(step: number, loss: number): Promise<void>;
  /** Called after each step, and after what was measured there. */
  after?(step: number): Promise<void>;
}

/**
 * Trains step by step. "Step" on the page goes from one measurement to the next.
 *
 * @throws (rejects) with the signal's reason once the run is cancelled.
 */
export async function measuredSteps<Live, Event>(
  run: Run<Live, Event>,
  training: MeasuredSteps,
): Promise<void> {
  const { steps, measureEvery } = training;
  for (let step = 1; step <= steps; step++) {
    const { loss, measured = false } = await training.train(step);
    run.progress(step, steps, `step ${step} of ${steps}, loss ${loss.toFixed(2)}`);
    const isPoint = measured || step === 1 || step % measureEvery === 0;
    if (isPoint) await training.measure(step, loss);
    await training.after?.(step);
    await (isPoint ? run.checkpoint() : run.breathe());
  }
}
