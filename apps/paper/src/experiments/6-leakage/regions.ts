// Regions of interest, as the second stage of a detector gets them: crops of scenes with several digits of few classes,
// around digits and between them. Made, not loaded, and seeded.

import type { LabeledImages } from '@rebatch/images';
import seedrandom from 'seedrandom';

export interface SceneSettings {
  /** Width and height in pixels. */
  readonly size: number;
  /** Digits per scene, and the classes that they are of. */
  readonly digits: number;
  readonly classes: number;
  /** The largest gray value of the background (of 1): each scene has its own. */
  readonly background: number;
  /** Regions around digits, and between them, per scene. */
  readonly foreground: number;
  readonly between: number;
  /** Pixels by which a region around a digit is off, at most, in each direction: proposals are not exact. */
  readonly offset: number;
}

/** Regions in the order of their scenes; what is between digits has the last class. */
export interface Regions extends LabeledImages {
  /** The scene of each region. */
  readonly scenes: Int32Array;
}

interface Place {
  readonly top: number;
  readonly left: number;
}

interface Placed extends Place {
  /** Index of the digit. */
  readonly digit: number;
}

/** Regions of so many scenes, as large as a digit; the same seed gives the same ones. */
export function regionsOf(
  digits: LabeledImages,
  settings: SceneSettings,
  scenes: number,
  seed: number,
): Regions {
  const [side] = digits.shape;
  const random = seedrandom(`scenes ${seed}`);
  const byClass = Array.from({ length: digits.classes }, (_, label) =>
    Array.from(digits.labels.keys()).filter((i) => digits.labels[i] === label),
  );
  const perScene = settings.foreground + settings.between;
  const size = scenes * perScene;
  const images = new Uint8Array(size * side * side);
  const labels = new Uint8Array(size);
  for (let scene = 0; scene < scenes; scene++) {
    const placed = placeDigits(byClass, side, settings, random);
    const pixels = draw(digits, placed, settings, random);
    for (let region = 0; region < perScene; region++) {
      const around = region < settings.foreground ? placed[below(placed.length, random)] : undefined;
      const { top, left } = around
        ? near(around, side, settings, random)
        : awayFrom(placed, side, settings, random);
      const at = scene * perScene + region;
      labels[at] = around ? digits.labels[around.digit]! : digits.classes;
      for (let y = 0; y < side; y++) {
        const from = (top + y) * settings.size + left;
        images.set(pixels.subarray(from, from + side), (at * side + y) * side);
      }
    }
  }
  const sources = Int32Array.from({ length: size }, (_, i) => Math.floor(i / perScene));
  return { size, shape: [side, side, 1], images, labels, classes: digits.classes + 1, scenes: sources };
}

/** Digits of few classes, at places that do not overlap. */
function placeDigits(
  byClass: readonly (readonly number[])[],
  side: number,
  { size, digits, classes }: SceneSettings,
  random: () => number,
): Placed[] {
  const chosen: number[] = [];
  while (chosen.length < classes) {
    const label = below(byClass.length, random);
    if (!chosen.includes(label)) chosen.push(label);
  }
  return inTime('places for the digits', () => {
    const placed: Placed[] = [];
    for (let i = 0; i < digits; i++) {
      const place = anywhere(size - side, random);
      if (placed.some((other) => distance(other, place) < side)) return undefined;
      const own = byClass[chosen[i % classes]!]!;
      placed.push({ ...place, digit: own[below(own.length, random)]! });
    }
    return placed;
  });
}

/** The scene's pixels: the digits' ink over its gray. */
function draw(
  digits: LabeledImages,
  placed: readonly Placed[],
  { size, background }: SceneSettings,
  random: () => number,
): Uint8Array {
  const [side] = digits.shape;
  const gray = Math.round(255 * background * random());
  const pixels = new Uint8Array(size * size).fill(gray);
  for (const { top, left, digit } of placed) {
    for (let at = 0; at < side * side; at++) {
      const ink = digits.images[digit * side * side + at]! / 255;
      const to = (top + Math.floor(at / side)) * size + left + (at % side);
      pixels[to] = Math.round(gray + ink * (255 - gray));
    }
  }
  return pixels;
}

function near(
  { top, left }: Place,
  side: number,
  { size, offset }: SceneSettings,
  random: () => number,
): Place {
  const moved = (at: number) => {
    const to = at + below(2 * offset + 1, random) - offset;
    return Math.min(size - side, Math.max(0, to));
  };
  return { top: moved(top), left: moved(left) };
}

/** A region with at most a part of a digit that no region around a digit would call its own. */
function awayFrom(
  placed: readonly Place[],
  side: number,
  { size, offset }: SceneSettings,
  random: () => number,
): Place {
  return inTime('room between the digits', () => {
    const place = anywhere(size - side, random);
    return placed.every((digit) => distance(digit, place) > offset + 2) ? place : undefined;
  });
}

/** Draws until one fits; throws where scenes are too full for that. */
function inTime<T>(what: string, attempt: () => T | undefined): T {
  for (let i = 0; i < 10_000; i++) {
    const found = attempt();
    if (found !== undefined) return found;
  }
  throw new RangeError(`regionsOf: found no ${what}: make scenes larger, or digits fewer`);
}

const below = (bound: number, random: () => number) => Math.floor(random() * bound);
const anywhere = (most: number, random: () => number): Place => ({
  top: below(most + 1, random),
  left: below(most + 1, random),
});
/** The larger of the distances by row and by column. */
const distance = (a: Place, b: Place) => Math.max(Math.abs(a.top - b.top), Math.abs(a.left - b.left));
