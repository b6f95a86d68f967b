import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { anchorsOf, encodeBox } from './anchors.ts';
import { precisionOf } from './evaluate.ts';
import type { Scene, SceneObject } from './scenes.ts';

const SIZE = 32;
const levels = [
  { name: 'fine', stride: 4 },
  { name: 'coarse', stride: 8 },
];
const anchors = anchorsOf(levels, SIZE);
const options = {
  score: 0.05,
  overlap: 0.5,
  candidates: 100,
  detections: 20,
  signal: new AbortController().signal,
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** More scenes than go through the model at once, so that numbers of scenes matter. */
const scenes: Scene[] = Array.from({ length: 40 }, (_, i) => ({
  image: { width: SIZE, height: SIZE, values: new Float32Array(SIZE * SIZE).fill(i / 40) },
  objects: [
    { box: { left: i % 8, top: 2, right: (i % 8) + 10, bottom: 14 }, label: i % 10, band: 0 },
    { box: { left: 4, top: 16, right: 24, bottom: 31 }, label: (i + 1) % 10, band: 1 },
  ],
}));

/** Answers for each scene, which it knows by its gray value, with the objects that `say` chooses. */
function oracle(say: (objects: readonly SceneObject[], scene: number) => readonly SceneObject[]) {
  const apply = (x: tf.Tensor) => {
    const [batch] = x.shape as [number];
    const [logits, codes] = [tf.buffer([batch, anchors.length, 10]), tf.buffer([batch, anchors.length, 4])];
    logits.values.fill(-9);
    const pixels = x.dataSync();
    for (let i = 0; i < batch; i++) {
      const scene = Math.round(pixels[i * SIZE * SIZE]! * 40);
      say(scenes[scene]!.objects, scene).forEach(({ box, label, band }, n) => {
        const at = anchors.findIndex(({ level }) => level === band) + n;
        logits.set(5, i, at, label);
        for (const [k, value] of encodeBox(anchors[at]!, box).entries()) codes.set(value, i, at, k);
      });
    }
    return [logits.toTensor(), codes.toTensor()];
  };
  return { apply } as unknown as tfl.LayersModel;
}

test('a perfect answer is perfect, and none is nothing', async () => {
  expect(
    await precisionOf(
      oracle((objects) => objects),
      scenes,
      anchors,
      options,
    ),
  ).toEqual({
    ap50: 1,
    ap: 1,
    ap50ByLevel: [1, 1],
  });
  expect(
    await precisionOf(
      oracle(() => []),
      scenes,
      anchors,
      options,
    ),
  ).toEqual({
    ap50: 0,
    ap: 0,
    ap50ByLevel: [0, 0],
  });
});

test('a level counts for its own digits', async () => {
  const coarseOnly = oracle((objects) => objects.filter(({ band }) => band === 1));
  const { ap50, ap50ByLevel } = await precisionOf(coarseOnly, scenes, anchors, options);
  expect(ap50ByLevel).toEqual([0, 1]);
  expect(ap50).toBeCloseTo(0.5, 12);
  // All digits are found, but by the fine level.
  const fine = oracle((objects) => objects.map((object) => ({ ...object, band: 0 })));
  const found = await precisionOf(fine, scenes, anchors, options);
  expect(found.ap50).toBe(1);
  expect(found.ap50ByLevel[1]).toBe(0);
});

test('digits belong to their scenes, and loose boxes cost at high thresholds', async () => {
  const next = oracle((_, scene) => scenes[(scene + 1) % 40]!.objects);
  // Classes go round with the scenes, so those of the next scene are elsewhere in this one.
  expect((await precisionOf(next, scenes, anchors, options)).ap50).toBe(0);
  const loose = oracle((objects) =>
    objects.map(({ box, ...object }) => ({
      ...object,
      box: { ...box, bottom: box.top + (box.bottom - box.top) * (5 / 6) },
    })),
  );
  const { ap50, ap } = await precisionOf(loose, scenes, anchors, options);
  expect(ap50).toBe(1);
  // Five sixths: found up to 0.8, the seventh of ten thresholds.
  expect(ap).toBeCloseTo(0.7, 12);
});
