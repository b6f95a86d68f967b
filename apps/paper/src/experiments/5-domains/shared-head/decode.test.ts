import '@tensorflow/tfjs-backend-cpu';
import { expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { anchorsOf, encodeBox } from './anchors.ts';
import type { Box } from './boxes.ts';
import { decodeScene } from './decode.ts';

const SIZE = 32;
const CLASSES = 3;
const anchors = anchorsOf([{ name: 'only', stride: 4 }], SIZE);
const options = { score: 0.3, overlap: 0.5, candidates: 50, detections: 10 };

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** What a detector would answer: a logit of -5 but where it says otherwise. */
function answer(...said: { anchor: number; label: number; logit: number; box: Box }[]) {
  const logits = new Float32Array(anchors.length * CLASSES).fill(-5);
  const codes = new Float32Array(anchors.length * 4);
  for (const { anchor, label, logit, box } of said) {
    logits[anchor * CLASSES + label] = logit;
    codes.set(encodeBox(anchors[anchor]!, box), anchor * 4);
  }
  return [logits, codes] as const;
}

const box = (left: number, top: number): Box => ({ left, top, right: left + 12, bottom: top + 12 });

test('of a class, overlapping detections are one; other classes and places stay', () => {
  const found = decodeScene(
    ...answer(
      { anchor: 9, label: 0, logit: 1, box: box(2, 2) },
      { anchor: 10, label: 0, logit: 2, box: box(3, 2) },
      { anchor: 11, label: 1, logit: 0, box: box(2, 2) },
      { anchor: 20, label: 0, logit: 0.5, box: box(18, 18) },
      { anchor: 21, label: 2, logit: -1, box: box(10, 18) },
    ),
    anchors,
    SIZE,
    options,
  );
  // A logit of -1 is a score of 0.27.
  expect(found.map(({ label }) => label)).toEqual([0, 0, 1]);
  expect(found.map(({ score }) => score)).toEqual(
    [2, 0.5, 0].map((logit) => expect.closeTo(1 / (1 + Math.exp(-logit)), 6)),
  );
  expect(found[0]!.box).toEqual({
    left: expect.closeTo(3, 4),
    top: expect.closeTo(2, 4),
    right: expect.closeTo(15, 4),
    bottom: expect.closeTo(14, 4),
  });
  expect(found.every(({ level }) => level === 0)).toBe(true);
});

test('boxes of neighbouring classes do not meet, wherever they lie in the scene', () => {
  // The lower right corner of one class and the upper left one of the next.
  const found = decodeScene(
    ...answer(
      { anchor: 0, label: 1, logit: 1, box: box(0, 0) },
      { anchor: 63, label: 0, logit: 2, box: box(20, 20) },
    ),
    anchors,
    SIZE,
    options,
  );
  expect(found).toHaveLength(2);
});

test('boxes end where the scene does', () => {
  const [found] = decodeScene(
    ...answer({ anchor: 0, label: 2, logit: 3, box: { left: -4, top: -3, right: 8, bottom: 40 } }),
    anchors,
    SIZE,
    options,
  );
  expect(found!.box).toEqual({ left: 0, top: 0, right: expect.closeTo(8, 4), bottom: 32 });
});

test('candidates and detections are limited to the surest', () => {
  const said = [0, 3, 24, 27].map((anchor, i) => ({
    anchor,
    label: 0,
    logit: i,
    box: box(8 * (i % 2) * 2, 8 * (i >> 1) * 2),
  }));
  const scores = (limits: object) =>
    decodeScene(...answer(...said), anchors, SIZE, { ...options, ...limits }).map(({ score }) =>
      Math.log(score / (1 - score)),
    );
  expect(scores({})).toEqual([3, 2, 1, 0].map((logit) => expect.closeTo(logit, 4)));
  expect(scores({ detections: 2 })).toHaveLength(2);
  expect(scores({ candidates: 3 })).toHaveLength(3);
});

test('nothing found is no detection, and no tensors are left', async () => {
  expect(decodeScene(...answer(), anchors, SIZE, options)).toEqual([]);
  const some = answer({ anchor: 3, label: 0, logit: 1, box: box(5, 5) });
  await expectNoLeaks(tf, () => decodeScene(...some, anchors, SIZE, options));
});
