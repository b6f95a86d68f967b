// How well a detector finds the digits of scenes, under its population statistics.

import { setImmediate } from 'node:timers/promises';
import { ranges } from '@rebatch/images';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { mean } from '../../../rows/summary.ts';
import type { Anchor } from './anchors.ts';
import { COCO_THRESHOLDS, type Detection, meanAveragePrecision, type Truth } from './average-precision.ts';
import { type DecodeOptions, decodeScene } from './decode.ts';
import { type Scene, sceneTensor } from './scenes.ts';

/** Scenes that go through the model at once. */
const BATCH = 32;

/** Average precisions, each the mean over the classes, 0 to 1. */
export interface Precision {
  /** At an intersection over union of 0.5. */
  readonly ap50: number;
  /** The mean over 0.5, 0.55, ... 0.95, as COCO's. */
  readonly ap: number;
  /** `ap50` of the digits of each level, and of what that level detects. */
  readonly ap50ByLevel: readonly number[];
}

/** Of a detector with the outputs of `buildDetector`, on scenes of one size. */
export async function precisionOf(
  model: tfl.LayersModel,
  scenes: readonly Scene[],
  anchors: readonly Anchor[],
  options: DecodeOptions & { readonly signal: AbortSignal },
): Promise<Precision> {
  const detections: (Detection & { level: number })[] = [];
  for (const indices of ranges(scenes.length, BATCH)) {
    await setImmediate();
    options.signal.throwIfAborted();
    const batch = indices.map((i) => scenes[i]!);
    const outputs = tf.tidy(() => model.apply(sceneTensor(batch), { training: false }) as tf.Tensor[]);
    const [logits, codes] = (await Promise.all(outputs.map((output) => output.data()))) as Float32Array[];
    tf.dispose(outputs);
    const part = (values: Float32Array, i: number) => {
      const length = values.length / batch.length;
      return values.subarray(i * length, (i + 1) * length);
    };
    indices.forEach((scene, i) => {
      const { width } = batch[i]!.image;
      const found = decodeScene(part(logits!, i), part(codes!, i), anchors, width, options);
      detections.push(...found.map((digit) => ({ ...digit, scene })));
    });
  }
  return precision(truthsOf(scenes), detections);
}

/** Every digit of the scenes; bands and levels are the same numbers. */
function truthsOf(scenes: readonly Scene[]): (Truth & { level: number })[] {
  return scenes.flatMap(({ objects }, scene) =>
    objects.map(({ box, label, band }) => ({ scene, box, label, level: band })),
  );
}

function precision(
  truths: readonly (Truth & { level: number })[],
  detections: readonly (Detection & { level: number })[],
): Precision {
  const levels = Math.max(...truths.map(({ level }) => level)) + 1;
  const of = (level: number) => (item: { level: number }) => item.level === level;
  return {
    ap50: meanAveragePrecision(truths, detections, 0.5),
    ap: mean(COCO_THRESHOLDS.map((threshold) => meanAveragePrecision(truths, detections, threshold))),
    ap50ByLevel: Array.from({ length: levels }, (_, level) =>
      meanAveragePrecision(truths.filter(of(level)), detections.filter(of(level)), 0.5),
    ),
  };
}
