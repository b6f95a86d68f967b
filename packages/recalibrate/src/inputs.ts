// What a model was given, for the report: kinds and ranges that betray inputs which were prepared in another way.
import type { Batch, NormalizedModel } from '@rebatch/models';
import * as tf from '@tensorflow/tfjs-core';

/** One input of the model, as its first batch was. */
export interface InputReport {
  readonly name: string;
  readonly dtype: string;
  /** The shape of one sample. */
  readonly shape: readonly number[];
  /** The smallest and the largest number in the first batch; null if it has NaN or Infinity. */
  readonly range: { readonly least: number; readonly largest: number } | null;
}

/** Looks at the first batch, while the model runs on it. */
export class FirstInputs {
  #report: Promise<InputReport[]> | undefined;

  /** @param looks false to look at none. */
  constructor(looks = true) {
    if (!looks) this.#report = Promise.resolve([]);
  }

  /** Reads what there is to read of the first batch that comes; others are left alone. */
  look({ inputs }: Batch, model: NormalizedModel): void {
    if (this.#report !== undefined) return;
    this.#report = Promise.all(inputs.map((x, i) => reportInput(x, model.inputs[i]!.name)));
    // Who asks hears of it; if nobody does, because something else has failed first, it does not matter.
    this.#report.catch(() => {});
  }

  /** What was read; empty if there was no batch. */
  async report(): Promise<readonly InputReport[]> {
    return (await this.#report) ?? [];
  }

  /** Resolves when nothing is held any more. */
  async settled(): Promise<void> {
    await this.#report?.catch(() => {});
  }
}

async function reportInput(x: tf.Tensor, name: string): Promise<InputReport> {
  const { dtype, shape } = x;
  const ends = tf.tidy(() => {
    const values = tf.cast(x, 'float32');
    return tf.stack([tf.min(values), tf.max(values)]);
  });
  try {
    const [least, largest] = (await ends.data()) as unknown as [number, number];
    const range = Number.isFinite(least) && Number.isFinite(largest) ? { least, largest } : null;
    return { name, dtype, shape: shape.slice(1), range };
  } finally {
    ends.dispose();
  }
}

/** What a reader of the report should know about inputs that were not what a model is usually trained on. */
export function warningsOfInputs(
  inputs: readonly InputReport[],
  { inputs: declared }: Pick<NormalizedModel, 'inputs'>,
): string[] {
  const isImage = ({ shape }: InputReport) => shape.length >= 3;
  // A model that declares whole numbers scales them itself.
  const isAsDeclared = ({ name, dtype }: InputReport) =>
    dtype === (declared.find((input) => input.name === name)?.dtype ?? 'float32');
  return inputs
    .filter((input) => input.dtype !== 'float32' && isImage(input) && !isAsDeclared(input))
    .map(
      ({ name, dtype, range }) =>
        `Input '${name}' came as ${dtype} and was taken as the numbers that it holds, unscaled` +
        `${range ? `: from ${range.least} to ${range.largest} in the first batch` : ''}. If the model was trained on ` +
        'scaled images, scale these as there: tf.div(images, 255), for instance.',
    );
}
