// What the detector should answer: which anchors have a digit, and which.

import { type Anchor, encodeBox, type Level } from './anchors.ts';
import type { Scene } from './scenes.ts';

/** A cell has the digits whose centers are within so many strides of its own, on both axes. */
const REACH = 1;

/** What the detector should answer for a batch of scenes. */
export interface Targets {
  /** [scenes, anchors, classes], 1 where the anchor has a digit of that class. */
  readonly classes: Float32Array;
  /** [scenes, anchors, 4], zeros where the anchor has no digit. */
  readonly boxes: Float32Array;
  /** [scenes, anchors], 1 where it has one. */
  readonly positive: Float32Array;
}

/** Gives each digit to the anchors of its band's level that lie around its center; an anchor takes the nearest. */
export function assignTargets(
  scenes: readonly Scene[],
  anchors: readonly Anchor[],
  levels: readonly Level[],
  classes: number,
): Targets {
  const targets: Targets = {
    classes: new Float32Array(scenes.length * anchors.length * classes),
    boxes: new Float32Array(scenes.length * anchors.length * 4),
    positive: new Float32Array(scenes.length * anchors.length),
  };
  scenes.forEach(({ objects }, scene) => {
    anchors.forEach((anchor, i) => {
      const reach = REACH * levels[anchor.level]!.stride;
      let nearest = Number.POSITIVE_INFINITY;
      const at = scene * anchors.length + i;
      for (const { box, label, band } of objects) {
        if (band !== anchor.level) continue;
        const offX = Math.abs((box.left + box.right) / 2 - anchor.x);
        const offY = Math.abs((box.top + box.bottom) / 2 - anchor.y);
        const distance = Math.hypot(offX, offY);
        if (offX > reach || offY > reach || distance >= nearest) continue;
        nearest = distance;
        targets.positive[at] = 1;
        targets.boxes.set(encodeBox(anchor, box), at * 4);
        targets.classes.fill(0, at * classes, (at + 1) * classes);
        targets.classes[at * classes + label] = 1;
      }
    });
  });
  return targets;
}
