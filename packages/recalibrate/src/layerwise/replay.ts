// A forward of which only some steps are computed. The model runs as ever; ops that are not needed are passed over,
// and give a tensor of the right shape without values, or one that an earlier pass has kept.
import type { NormalizedModel } from '@rebatch/models';
import * as tf from '@tensorflow/tfjs-core';
import { ApplicationsChangedError } from '../errors.ts';
import { forward, type Measured, type Step } from '../forward.ts';
import type { Levels, PassPlan } from './levels.ts';
import { withEngine } from './recording.ts';

/** What is kept of a batch, by value. Its tensors belong to whoever holds it. */
export type Kept = ReadonlyMap<number, tf.Tensor>;

export function disposeKept(kept: Kept): void {
  for (const tensor of kept.values()) tensor.dispose();
}

/** A batch to run. */
export interface Replayed {
  readonly samples: number;
  /** Its inputs, while nothing is kept of it. */
  readonly inputs?: () => readonly tf.Tensor[];
  readonly kept: Kept;
  /** What to call it in messages. */
  readonly what: string;
}

/** What to do at the applications of a pass. */
export interface Visit {
  /** Whether the application is measured in this pass. */
  readonly measures: boolean;
  /** Whether its output is computed. */
  readonly computes: boolean;
  readonly site: number;
  readonly x: tf.Tensor;
  readonly mask: tf.Tensor | undefined;
}

/** The part of TensorFlow.js's engine that makes tensors of data that there is. */
interface Engine {
  makeTensorFromTensorInfo(info: { dataId: object; shape: number[]; dtype: tf.DataType }): tf.Tensor;
}

/**
 * Runs the steps of a plan on a batch.
 *
 * @param step is called at each application that is measured or computed: what to measure, and the output.
 * @returns what was measured, and what is kept for later passes: new tensors, which the caller disposes.
 * @throws {ApplicationsChangedError} if the model runs otherwise than when it was recorded.
 */
export function replay(
  model: NormalizedModel,
  levels: Levels,
  plan: PassPlan,
  { samples, inputs, kept, what }: Replayed,
  step: (visit: Visit) => Step,
): { readonly measured: Measured[]; readonly kept: Kept } {
  const { recording, shapeOf, measuredIn } = levels;
  const { steps } = recording;
  const keeps = new Set(plan.keeps);
  const next = new Map<number, tf.Tensor>();
  let at = 0;
  let visiting = false;
  const changed = (came: string) =>
    new ApplicationsChangedError(
      `${what}: expected model '${model.name}' to run the same ops for every batch, got ${came} as op ${at} of ` +
        `${steps.length}. Recalibrate it with activationBytes: 0, or in mode 'batch'.`,
    );
  // One small tensor lends its data to all that have no values.
  const empty = tf.zeros([1]);
  const engine = tf.engine() as unknown as Engine;
  const share = ({ dataId }: tf.Tensor, shape: readonly number[], dtype: tf.DataType) => {
    (tf.backend() as unknown as { incRef(dataId: object): void }).incRef(dataId);
    return engine.makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype });
  };
  /** A tensor for a value that is not computed. */
  const passedOver = (value: number) =>
    share(kept.get(value) ?? empty, shapeOf(value, samples), recording.values[value]!.dtype);
  const keep = (value: number, tensor: tf.Tensor) => {
    if (keeps.has(value) && !next.has(value))
      next.set(value, tf.keep(share(tensor, tensor.shape, tensor.dtype)));
  };
  const given = () => {
    visiting = true;
    const tensors = inputs?.() ?? recording.inputs.map(passedOver);
    visiting = false;
    recording.inputs.forEach((value, i) => {
      keep(value, tensors[i]!);
    });
    return tensors;
  };
  try {
    for (const value of plan.keeps) if (kept.has(value)) keep(value, kept.get(value)!);
    const measured = withEngine(
      (own) => ({
        runKernel(kernel, from, attributes) {
          if (visiting) return own.runKernel(kernel, from, attributes);
          const expected = steps[at];
          if (expected?.kernel !== kernel) throw changed(kernel);
          const runs = plan.runs[at++]!;
          if (!runs) {
            const outputs = expected.gives.map(passedOver);
            return expected.list ? outputs : outputs[0]!;
          }
          const outputs = own.runKernel(kernel, from, attributes);
          expected.gives.forEach((value, i) => {
            keep(value, [outputs].flat()[i]!);
          });
          return outputs;
        },
        readSync(dataId) {
          if (!visiting && dataId === empty.dataId) throw changed('a read');
          return own.readSync(dataId);
        },
      }),
      () =>
        forward(model, given, ({ site, index, x, mask }) => {
          const expected = steps[at];
          if (expected?.application?.site !== site || expected.application.index !== index)
            throw changed(`layer '${model.sites[site]!.name}'`);
          const [computes, measures] = [plan.runs[at]!, measuredIn[at] === plan.pass];
          const value = expected.gives[0]!;
          const done = at++ >= plan.last;
          if (!computes && !measures) return done ? {} : { y: passedOver(value) };
          visiting = true;
          const { moments, y } = step({ measures, computes, site, x, mask });
          visiting = false;
          if (y !== undefined) keep(value, y);
          const output = y ?? (done ? undefined : passedOver(value));
          return { ...(moments && { moments }), ...(output && { y: output }) };
        }),
    );
    return { measured, kept: next };
  } catch (error) {
    disposeKept(next);
    throw error;
  } finally {
    empty.dispose();
  }
}
