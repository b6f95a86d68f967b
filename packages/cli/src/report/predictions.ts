// What a model says of a few pictures, for a page: before and after, or of two models.
import * as tf from '@tensorflow/tfjs-core';
import { toTensors } from '../data/tensors.ts';
import { wholeBatches } from '../data/whole-batches.ts';
import type { LoadedModel } from '../model/load-model.ts';
import type { Session } from '../session.ts';
import { NO_CLASS, topClasses } from '../top-class.ts';
import type { SamplePicture } from './page.ts';
import { percent } from './table.ts';

/** A model's answer to one picture. */
export interface Answer {
  readonly position: number;
  readonly label: string;
  readonly value: number;
}

/** Pictures on a page. */
const PICTURES = 12;
/** Pixels of their longer sides. */
const SIDE = 160;

/** The answers to the first pictures; empty for data of another kind, and outputs that are no classes. */
export async function answers(session: Session, model: LoadedModel, signal: AbortSignal): Promise<Answer[]> {
  const { description, count, batchSize } = session;
  if (description.source.kind !== 'folder' || count === null) return [];
  // Built for batches of one size, a model answers to whole ones.
  const { fixedBatch } = model;
  const size = fixedBatch ?? Math.min(PICTURES, batchSize);
  const most =
    fixedBatch === undefined
      ? Math.min(PICTURES, count)
      : size * Math.min(Math.ceil(PICTURES / size), Math.floor(count / size));
  const data = wholeBatches(session.data, fixedBatch);
  const all: Answer[] = [];
  for await (const batch of data.read({ from: 0, to: most, batchSize: size, signal })) {
    if (batch.count === 0) continue;
    const { xs } = toTensors(batch, false);
    try {
      const outputs = await model.predict(xs as tf.Tensor);
      try {
        all.push(...(await answersOf(outputs, batch.positions, data.classes)));
      } finally {
        outputs.dispose();
      }
    } finally {
      tf.dispose(xs as tf.TensorContainer);
    }
  }
  return all.slice(0, PICTURES);
}

async function answersOf(
  outputs: tf.Tensor,
  positions: Int32Array,
  classes: readonly string[] | null,
): Promise<Answer[]> {
  if (outputs.rank !== 2) return [];
  const size = outputs.shape[1]!;
  const values = Array.from(await outputs.data());
  return Array.from(positions, (position, i) => {
    const row = values.slice(i * size, (i + 1) * size);
    if (size === 1) return { position, label: '', value: row[0]! };
    const [best] = topClasses(row, size) as [number];
    if (best === NO_CLASS) return { position, label: 'no class', value: Number.NaN };
    return {
      position,
      label: classes?.length === size ? classes[best]! : `class ${best}`,
      value: row[best]!,
    };
  });
}

/** The pictures with both answers; of those that were answered twice. */
export async function pictures(
  { data }: Session,
  before: readonly Answer[],
  after: readonly Answer[],
): Promise<SamplePicture[]> {
  const list: SamplePicture[] = [];
  for (const first of before) {
    const second = after.find(({ position }) => position === first.position);
    const png = await data.thumbnail(first.position, SIDE);
    if (second === undefined || png === undefined) continue;
    const changed = first.label !== second.label;
    list.push({ name: data.nameOf(first.position), png, before: show(first), after: show(second), changed });
  }
  return list;
}

/** Values from 0 to 1 as shares; a model may as well end in logits. */
function show({ label, value }: Answer): string {
  const number = value >= 0 && value <= 1 ? percent(value) : value.toPrecision(3);
  return label === '' ? number : `${label} (${number})`;
}
