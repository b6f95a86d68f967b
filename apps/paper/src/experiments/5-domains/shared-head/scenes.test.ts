import '@tensorflow/tfjs-backend-cpu';
import { firstDigits, loadDigits } from '@rebatch/digits';
import type { LabeledImages } from '@rebatch/images';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { overlap } from './boxes.ts';
import { makeScene, makeScenes, type Scene, type SceneSettings, sceneTensor } from './scenes.ts';

const settings: SceneSettings = {
  size: 80,
  bands: [
    { size: [10, 14], count: [2, 4] },
    { size: [30, 40], count: [1, 1] },
  ],
};

let digits: LabeledImages;
beforeAll(async () => {
  await tf.setBackend('cpu');
  digits = await loadDigits('t10k');
});

const scenesOf = (source: LabeledImages) =>
  Array.from({ length: 40 }, (_, i) => makeScene(source, settings, 'test', i));

/** Twenty solid bars, 12 wide and 24 high: every pixel of a box is ink. */
function bars(): LabeledImages {
  const images = new Uint8Array(20 * 784);
  for (let i = 0; i < images.length; i++) {
    const [x, y] = [i % 28, Math.floor(i / 28) % 28];
    if (x >= 8 && x < 20 && y >= 2 && y < 26) images[i] = 255;
  }
  return { ...digits, size: 20, images, labels: Uint8Array.from({ length: 20 }, (_, i) => i % 10) };
}

test('digits have the sizes and numbers of their bands, lie inside, and do not overlap', () => {
  const counts = new Set<number>();
  for (const { objects } of scenesOf(digits)) {
    for (const [i, { box, band, label }] of objects.entries()) {
      const longer = Math.max(box.right - box.left, box.bottom - box.top);
      const [least, most] = settings.bands[band]!.size;
      expect(longer).toBeGreaterThanOrEqual(least);
      expect(longer).toBeLessThanOrEqual(most);
      expect(
        Math.min(box.left, box.top, settings.size - box.right, settings.size - box.bottom),
      ).toBeGreaterThanOrEqual(0);
      expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).toContain(label);
      for (const other of objects.slice(i + 1)) expect(overlap(box, other.box)).toBe(0);
    }
    expect(objects.filter(({ band }) => band === 1)).toHaveLength(1);
    counts.add(objects.filter(({ band }) => band === 0).length);
  }
  expect([...counts].sort()).toEqual([2, 3, 4]);
});

test('boxes are tight around the ink', () => {
  for (const { image, objects } of scenesOf(bars())) {
    image.values.forEach((value, i) => {
      const [x, y] = [i % image.width, Math.floor(i / image.width)];
      const inked = objects.some(
        ({ box }) => overlap(box, { left: x, top: y, right: x + 1, bottom: y + 1 }) > 0,
      );
      // Ink is at least 0.75 bright, the background at most 0.59.
      expect(value > 0.7).toBe(inked);
    });
    for (const { box } of objects) {
      expect(Math.abs(box.bottom - box.top - 2 * (box.right - box.left))).toBeLessThanOrEqual(1);
    }
  }
});

test('the label is that of the digit that was drawn', () => {
  // Digits of the test set drawn at their own size: the pixels must be those of a digit with the label.
  const one: SceneSettings = { size: 32, bands: [{ size: [20, 20], count: [1, 1] }] };
  const some = firstDigits(digits, 8);
  const seen = new Set<number>();
  for (let i = 0; i < 40; i++) {
    const { image, objects } = makeScene(some, one, 'labels', i);
    const { box, label } = objects[0]!;
    const likeness = Array.from({ length: some.size }, (_, digit) => {
      const { image: alone, objects: drawn } = makeScene(only(some, digit), one, 'alone', 0);
      return correlation(crop(image, box), crop(alone, drawn[0]!.box));
    });
    const nearest = likeness.indexOf(Math.max(...likeness));
    expect(some.labels[nearest]).toBe(label);
    seen.add(label);
  }
  expect(seen.size).toBeGreaterThan(4);
});

function only(all: LabeledImages, digit: number): LabeledImages {
  const { images, labels } = all;
  return {
    ...all,
    size: 1,
    images: images.subarray(digit * 784, (digit + 1) * 784),
    labels: labels.subarray(digit, digit + 1),
  };
}

/** The upper left 20 x 20 pixels of a box, where 0 is what lies beyond it. */
function crop(image: Scene['image'], box: Scene['objects'][number]['box']): number[] {
  return Array.from({ length: 400 }, (_, i) => {
    const [x, y] = [box.left + (i % 20), box.top + Math.floor(i / 20)];
    return x < box.right && y < box.bottom ? Math.max(0, image.values[y * image.width + x]! - 0.4) : 0;
  });
}

function correlation(a: number[], b: number[]): number {
  const dot = (u: number[], v: number[]) => u.reduce((sum, value, i) => sum + value * v[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

test('the seed decides: streams and numbers give different scenes, the same ones the same', async () => {
  const image = (stream: string, i: number) => makeScene(digits, settings, stream, i).image.values;
  expect(image('a', 1)).toEqual(image('a', 1));
  expect(image('a', 1)).not.toEqual(image('a', 2));
  expect(image('a', 1)).not.toEqual(image('b', 1));
  const made = await makeScenes(digits, settings, {
    stream: 'a',
    count: 3,
    signal: new AbortController().signal,
  });
  expect(made.map((scene) => scene.image.values)).toEqual([0, 1, 2].map((i) => image('a', i)));
});

test('making scenes can be interrupted', async () => {
  const signal = AbortSignal.abort(new Error('stop'));
  await expect(makeScenes(digits, settings, { stream: 'a', count: 3, signal })).rejects.toThrow('stop');
});

test('a tensor holds the scenes in order', async () => {
  const scenes = scenesOf(digits).slice(0, 2);
  const tensor = sceneTensor(scenes);
  expect(tensor.shape).toEqual([2, 80, 80, 1]);
  expect([...(await tensor.data())]).toEqual(scenes.flatMap(({ image }) => [...image.values]));
  tensor.dispose();
});
