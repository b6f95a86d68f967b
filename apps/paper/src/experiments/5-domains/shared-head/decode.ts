// Turns the detector's outputs into digits: scores, boxes, and one detection per digit.

import * as tf from '@tensorflow/tfjs-core';
import { type Anchor, type BoxCode, decodeBox } from './anchors.ts';
import type { Box } from './boxes.ts';

/** A digit that was found in one scene. */
export interface Found {
  readonly box: Box;
  readonly label: number;
  /** 0 to 1. */
  readonly score: number;
  /** Index of the level that found it. */
  readonly level: number;
}

export interface DecodeOptions {
  /** Candidates below this score are dropped. */
  readonly score: number;
  /** Of two detections of a class with more intersection over union than this, the surer stays. */
  readonly overlap: number;
  /** Most candidates and most detections of a scene. */
  readonly candidates: number;
  readonly detections: number;
}

/**
 * The digits of one scene, the surest first.
 *
 * @param logits [anchors * classes].
 * @param codes [anchors * 4].
 * @param size of the scene in pixels, to which boxes are clipped.
 */
export function decodeScene(
  logits: Float32Array,
  codes: Float32Array,
  anchors: readonly Anchor[],
  size: number,
  options: DecodeOptions,
): Found[] {
  const classes = logits.length / anchors.length;
  const least = Math.log(options.score / (1 - options.score));
  const candidates: Found[] = [];
  for (let i = 0; i < logits.length; i++) {
    if (!(logits[i]! >= least)) continue;
    const at = Math.floor(i / classes);
    const box = clip(
      decodeBox(anchors[at]!, [...codes.subarray(at * 4, at * 4 + 4)] as never as BoxCode),
      size,
    );
    candidates.push({ box, label: i % classes, score: sigmoid(logits[i]!), level: anchors[at]!.level });
  }
  candidates.sort((a, b) => b.score - a.score);
  return suppress(candidates.slice(0, options.candidates), size, options);
}

/** Non-maximum suppression in each class: classes are moved apart, so that one call does all. */
function suppress(candidates: readonly Found[], size: number, options: DecodeOptions): Found[] {
  if (candidates.length === 0) return [];
  const apart = candidates.map(({ box: { left, top, right, bottom }, label }) => {
    const offset = label * 2 * size;
    return [top + offset, left + offset, bottom + offset, right + offset];
  });
  const kept = tf.tidy(() =>
    tf.image
      .nonMaxSuppression(
        tf.tensor2d(apart),
        candidates.map(({ score }) => score),
        options.detections,
        options.overlap,
      )
      .dataSync(),
  );
  return [...kept].map((i) => candidates[i]!);
}

function clip({ left, top, right, bottom }: Box, size: number): Box {
  const inside = (v: number) => Math.min(size, Math.max(0, v));
  return { left: inside(left), top: inside(top), right: inside(right), bottom: inside(bottom) };
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
