// The output of a model that labels are held against.
import { normalize } from '@rebatch/core';
import type { Batch, Endpoint, NormalizedModel } from '@rebatch/models';
import { onlyBatchSize } from '@rebatch/models/~internal';
import * as tf from '@tensorflow/tfjs-core';
import { LabelsError } from './errors.ts';

/** What models that do not say it were found to give. */
const found = new WeakMap<NormalizedModel, Endpoint>();

/**
 * The only output of a model, with the number of classes on its last axis. Where the model does not say that, as graphs
 * without a signature, as few samples as it takes run through it; the axes between may have any size then.
 *
 * @param batch that fits the model's inputs, with any number of samples.
 * @throws {LabelsError} for a model with several outputs, and for one that no forward computes to its end.
 */
export function labelledOutput(model: NormalizedModel, batch: Batch): Endpoint {
  const [output, ...others] = model.outputs;
  if (output === undefined || others.length > 0) {
    throw new LabelsError(
      `Model '${model.name}' has ${model.outputs.length} outputs; errors are measured for models with one. ` +
        'Inspect without errors: labels: false.',
    );
  }
  if (output.isStop) {
    throw new LabelsError(
      `Model '${model.name}' has control flow or dynamic ops after '${output.name}', where a forward has to stop; errors are ` +
        'measured for models that it computes to their end. Inspect without errors: labels: false.',
    );
  }
  if (output.shape.at(-1) != null) return output;
  const known = found.get(model) ?? { ...output, shape: shapeOf(model, batch) };
  found.set(model, known);
  return known;
}

/** Of the first output; null on all axes but the last. */
function shapeOf(model: NormalizedModel, batch: Batch): (number | null)[] {
  const size = onlyBatchSize(model) ?? 1;
  const stored = model.stored();
  let shape: number[] = [];
  tf.tidy(() => {
    const [output] = model.run(repeated(batch, size), ({ site, x }) =>
      normalize(x, stored[site]!, model.sites[site]!.options()),
    )!;
    shape = output!.shape;
  });
  return shape.map((size, axis) => (axis === shape.length - 1 ? size : null));
}

/** So many samples: those of the batch, again and again; tidy it. */
function repeated({ inputs, samples }: Batch, size: number): tf.Tensor[] {
  const which = Array.from({ length: size }, (_, i) => i % samples);
  return inputs.map((x) => tf.gather(x, tf.tensor1d(which, 'int32')));
}
