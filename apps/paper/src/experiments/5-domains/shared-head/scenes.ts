// Scenes of several MNIST digits of very different sizes on a textured background: made, not loaded, and seeded.

import { setImmediate } from 'node:timers/promises';
import type { LabeledImages } from '@rebatch/images';
import * as tf from '@tensorflow/tfjs-core';
import seedrandom from 'seedrandom';
import { background } from './background.ts';
import { type Box, overlap } from './boxes.ts';
import { cropToInk, type Gray, resample } from './resample.ts';

/** Digits of one range of sizes, and so of one feature level. */
export interface SizeBand {
  /** Pixels of the longer side, both included. */
  readonly size: readonly [number, number];
  /** Digits per scene that are tried, both included; one that finds no place is left out. */
  readonly count: readonly [number, number];
}

export interface SceneSettings {
  /** Width and height in pixels. */
  readonly size: number;
  /** From the smallest digits to the largest. */
  readonly bands: readonly SizeBand[];
}

/** A digit in a scene. */
export interface SceneObject {
  /** Tight around the ink. */
  readonly box: Box;
  /** 0 to 9. */
  readonly label: number;
  /** Index of its {@link SizeBand}. */
  readonly band: number;
}

export interface Scene {
  /** size x size gray values, 0 to 1. */
  readonly image: Gray;
  /** None overlaps another. */
  readonly objects: readonly SceneObject[];
}

/** Gray values of MNIST above this (of 255) are ink; below is what antialiasing left. */
const INK = 64;
/** How often a place for a digit is tried. */
const PLACES = 30;

/** The scene number `index` of the stream `stream`: the same for the same arguments. */
export function makeScene(
  digits: LabeledImages,
  settings: SceneSettings,
  stream: string,
  index: number,
): Scene {
  const random = seedrandom(`scene ${stream} ${index}`);
  const image = background(settings.size, random);
  const objects: SceneObject[] = [];
  // The largest first, while there is room for them.
  for (const [band, { size, count }] of [...settings.bands.entries()].reverse()) {
    const tries = integer(random, count);
    for (let i = 0; i < tries; i++) {
      const digit = Math.floor(random() * digits.size);
      const drawn = drawDigit(digits, digit, integer(random, size));
      const box = findPlace(drawn, settings.size, objects, random);
      const brightness = 0.75 + 0.25 * random();
      if (box === undefined) continue;
      paste(image, drawn, box, brightness);
      objects.push({ box, label: digits.labels[digit]!, band });
    }
  }
  return { image, objects };
}

/** The first `count` scenes of a stream; other work runs in between. @throws (rejects) the signal's reason. */
export async function makeScenes(
  digits: LabeledImages,
  settings: SceneSettings,
  {
    stream,
    count,
    signal,
  }: { readonly stream: string; readonly count: number; readonly signal: AbortSignal },
): Promise<Scene[]> {
  const scenes: Scene[] = [];
  while (scenes.length < count) {
    if (scenes.length % 32 === 0) await setImmediate();
    signal.throwIfAborted();
    scenes.push(makeScene(digits, settings, stream, scenes.length));
  }
  return scenes;
}

/** Scenes as a batch of images: [scenes, size, size, 1]. */
export function sceneTensor(scenes: readonly Scene[]): tf.Tensor4D {
  const { width, height } = scenes[0]!.image;
  const values = new Float32Array(scenes.length * height * width);
  scenes.forEach(({ image }, i) => {
    values.set(image.values, i * height * width);
  });
  return tf.tensor4d(values, [scenes.length, height, width, 1]);
}

/** A digit's ink, its longer side so many pixels long. */
function drawDigit({ images }: LabeledImages, index: number, longer: number): Gray {
  const pixels = Float32Array.from(images.subarray(index * 784, (index + 1) * 784), (v) => v / 255);
  const ink = cropToInk({ width: 28, height: 28, values: pixels }, INK / 255);
  const scale = longer / Math.max(ink.width, ink.height);
  return resample(ink, {
    width: Math.max(1, Math.round(ink.width * scale)),
    height: Math.max(1, Math.round(ink.height * scale)),
  });
}

/** A random place without a pixel in common with what is there, or undefined if none was found. */
function findPlace(
  { width, height }: Gray,
  size: number,
  taken: readonly SceneObject[],
  random: () => number,
): Box | undefined {
  for (let i = 0; i < PLACES; i++) {
    const left = integer(random, [0, size - width]);
    const top = integer(random, [0, size - height]);
    const box = { left, top, right: left + width, bottom: top + height };
    if (taken.every((other) => overlap(box, other.box) === 0)) return box;
  }
  return undefined;
}

function paste(image: Gray, drawn: Gray, { left, top }: Box, brightness: number): void {
  for (let y = 0; y < drawn.height; y++) {
    for (let x = 0; x < drawn.width; x++) {
      const at = (top + y) * image.width + left + x;
      const ink = drawn.values[y * drawn.width + x]!;
      image.values[at]! += ink * (brightness - image.values[at]!);
    }
  }
}

function integer(random: () => number, [low, high]: readonly [number, number]): number {
  return low + Math.floor(random() * (high - low + 1));
}
