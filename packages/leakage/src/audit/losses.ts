// The loss of each sample by itself.
import type { AnyModel } from '@rebatch/models';
import { shown } from '@rebatch/stats/~internal';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { AuditError } from '../errors.ts';

/**
 * From labels and outputs, [samples, ...] each, the loss of each sample: [samples]. Labels have the shape that they came in;
 * only a row of them, [samples], is a column, [samples, 1], where the outputs are one, as in training.
 */
export type SampleLoss = (labels: tf.Tensor, outputs: tf.Tensor) => tf.Tensor;

/** The losses by name that are known sample by sample, with the labels as tf.layers takes them. */
const KNOWN: Readonly<Record<string, SampleLoss>> = {
  binaryCrossentropy: likeOutputs(tfl.metrics.binaryCrossentropy),
  categoricalCrossentropy: likeOutputs(tfl.metrics.categoricalCrossentropy),
  sparseCategoricalCrossentropy: (labels, outputs) => {
    const classes = tf.oneHot(tf.cast(classesOf(labels, outputs), 'int32'), outputs.shape.at(-1)!);
    return tfl.metrics.categoricalCrossentropy(
      tf.reshape(tf.cast(classes, 'float32'), outputs.shape),
      outputs,
    );
  },
  meanSquaredError: likeOutputs(tfl.metrics.meanSquaredError),
  meanAbsoluteError: likeOutputs(tfl.metrics.meanAbsoluteError),
};

/** A loss whose labels have the shape of the outputs: of any other, they would be compared with other samples' outputs. */
function likeOutputs(loss: SampleLoss): SampleLoss {
  return (labels, outputs) => {
    const own = withColumn(labels, outputs);
    if (tf.util.arraysEqual(own.shape, outputs.shape)) return loss(own, outputs);
    throw new AuditError(
      `Loss of the model: expected labels in the shape of its outputs, [${outputs.shape}], got [${labels.shape}]. ` +
        'Numbers of classes go with sparseCategoricalCrossentropy, or become such labels by tf.oneHot; other labels ' +
        'need option loss.',
    );
  };
}

/** The number of each class, in one row: one for each sample, or for each place of it. */
function classesOf(labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor1D {
  const places = outputs.shape.slice(0, -1);
  if ([places, [...places, 1]].some((shape) => tf.util.arraysEqual(labels.shape, shape))) {
    return tf.reshape(labels, [-1]);
  }
  throw new AuditError(
    `Loss of the model: expected labels of one class for each of its outputs, [${places}] or [${[...places, 1]}], got ` +
      `[${labels.shape}]. Labels that are one-hot go with categoricalCrossentropy.`,
  );
}

/** Labels in one row, [samples], as a column where the outputs are one: `fit` and `evaluate` do the same. */
function withColumn(labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
  const column = labels.rank === 1 && outputs.rank === 2 && outputs.shape[1] === 1;
  return column ? tf.expandDims(labels, 1) : labels;
}

/**
 * The loss to compare: the one given, or that of a compiled model.
 *
 * @throws {AuditError} if there is none, or it is not known sample by sample.
 */
export function lossOf(model: AnyModel, given: SampleLoss | undefined): SampleLoss {
  if (given !== undefined) return (labels, outputs) => given(withColumn(labels, outputs), outputs);
  const compiled = onlyOne((model as { readonly loss?: unknown }).loss);
  const loss = typeof compiled === 'string' ? KNOWN[compiled] : undefined;
  if (loss !== undefined) return loss;
  const came =
    compiled === undefined
      ? 'a model that is not compiled'
      : `the loss ${typeof compiled === 'string' ? compiled : `of type ${typeof compiled}`}`;
  throw new AuditError(
    `Model '${model.name}': expected a model compiled with one of ${Object.keys(KNOWN).join(', ')}, got ${came}. ` +
      'Pass option loss, which gives the loss of each sample.',
  );
}

/** The losses of some samples, as numbers. */
export async function sampleLosses(
  loss: SampleLoss,
  labels: tf.Tensor,
  outputs: () => tf.Tensor,
): Promise<Float32Array> {
  const losses = tf.tidy(() => {
    const each = loss(labels, outputs());
    const samples = labels.shape[0]!;
    if (!(each instanceof tf.Tensor) || each.shape[0] !== samples) {
      const came = each instanceof tf.Tensor ? `shape [${(each as tf.Tensor).shape}]` : shown(each);
      throw new AuditError(
        `Option loss: expected the loss of each of ${samples} samples, [${samples}], got ${came}.`,
      );
    }
    // Losses of several outputs of a sample count alike.
    return each.rank > 1 ? tf.mean(tf.reshape(each, [samples, -1]), 1) : tf.clone(each);
  });
  const values = (await losses.data()) as Float32Array;
  losses.dispose();
  return values;
}

/** A loss may be given as a list or by name of the output, also where there is one. */
function onlyOne(loss: unknown): unknown {
  if (typeof loss !== 'object' || loss === null) return loss;
  const [first, ...more] = Object.values(loss);
  return more.length === 0 ? first : loss;
}
