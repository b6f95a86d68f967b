// Average precision: how good ranked detections are, as PASCAL VOC and COCO define it.

import { mean } from '../../../rows/summary.ts';
import { type Box, intersectionOverUnion } from './boxes.ts';

/** A digit that is there. */
export interface Truth {
  readonly scene: number;
  readonly box: Box;
  readonly label: number;
}

/** A digit that was found. */
export interface Detection extends Truth {
  /** Higher is surer. */
  readonly score: number;
}

/** COCO's thresholds, 0.5 to 0.95. */
export const COCO_THRESHOLDS: readonly number[] = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100);

/**
 * The mean over the classes that are there of the average precision at one threshold, 0 to 1.
 *
 * Detections of a class, the surest first, each take the digit of their class and scene that they overlap most, of those
 * that no surer one took and with an intersection over union of at least `threshold`; one that finds none is false (as in
 * COCO). The average precision is the area under the precision over the recall, the precision at a recall being the best
 * at this recall or higher (at all points, as in VOC since 2010, not at COCO's 101).
 *
 * @throws {RangeError} where there is no digit at all.
 */
export function meanAveragePrecision(
  truths: readonly Truth[],
  detections: readonly Detection[],
  threshold: number,
): number {
  const labels = [...new Set(truths.map(({ label }) => label))];
  return mean(
    labels.map((label) =>
      averagePrecision(
        truths.filter((truth) => truth.label === label),
        detections.filter((detection) => detection.label === label),
        threshold,
      ),
    ),
  );
}

/** One class. */
function averagePrecision(truths: readonly Truth[], detections: readonly Detection[], threshold: number) {
  const byScene = new Map<number, { box: Box; taken: boolean }[]>();
  for (const { scene, box } of truths) {
    byScene.set(scene, [...(byScene.get(scene) ?? []), { box, taken: false }]);
  }
  const ranked = [...detections].sort((a, b) => b.score - a.score);
  let found = 0;
  const points = ranked.map(({ scene, box }, i) => {
    const free = (byScene.get(scene) ?? []).filter(({ taken }) => !taken);
    const shares = free.map((truth) => intersectionOverUnion(truth.box, box));
    const most = Math.max(...shares);
    if (most >= threshold) {
      free[shares.indexOf(most)]!.taken = true;
      found++;
    }
    return { recall: found / truths.length, precision: found / (i + 1) };
  });
  let sum = 0;
  let ceiling = 0;
  for (let i = points.length - 1; i >= 0; i--) {
    ceiling = Math.max(ceiling, points[i]!.precision);
    sum += ceiling * (points[i]!.recall - (points[i - 1]?.recall ?? 0));
  }
  return sum;
}
