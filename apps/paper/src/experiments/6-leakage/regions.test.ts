import { expect, test } from 'vitest';
import { type Regions, regionsOf, type SceneSettings } from './regions.ts';

const side = 6;
/** Digits of ten classes that are all ink, each 255 gray. */
const digits = {
  size: 40,
  shape: [side, side, 1],
  images: new Uint8Array(40 * side * side).fill(255),
  labels: Uint8Array.from({ length: 40 }, (_, i) => i % 10),
  classes: 10,
} as const;
const settings: SceneSettings = {
  ...{ size: 40, digits: 4, classes: 2, background: 0.5 },
  ...{ foreground: 5, between: 3, offset: 2 },
};

function pixelsOf({ images }: Regions, region: number): Uint8Array {
  return images.subarray(region * side * side, (region + 1) * side * side);
}

test('the regions of a scene come together: those around digits, then those between', () => {
  const regions = regionsOf(digits, settings, 30, 1);
  expect(regions).toMatchObject({ size: 240, shape: [side, side, 1], classes: 11 });
  expect(regions.images).toHaveLength(240 * side * side);
  for (let scene = 0; scene < 30; scene++) {
    const own = [...regions.labels.subarray(8 * scene, 8 * scene + 8)];
    expect([...regions.scenes.subarray(8 * scene, 8 * scene + 8)]).toEqual(Array(8).fill(scene));
    expect(own.slice(5)).toEqual([10, 10, 10]);
    expect(new Set(own.slice(0, 5)).size).toBeLessThanOrEqual(settings.classes);
    expect(own.slice(0, 5).every((label) => label < 10)).toBe(true);
  }
  // Scenes do not all show the same.
  expect(new Set(regions.labels).size).toBe(11);
});

test('a region around a digit has its ink, as far as the offset allows, and one between at most its edge', () => {
  const regions = regionsOf(digits, settings, 50, 2);
  const least = (side - settings.offset) ** 2;
  // A digit more than offset + 2 away reaches one pixel into a region, and there are four sides.
  const most = 4 * side - 4;
  const inks = Array.from(
    { length: regions.size },
    (_, region) => pixelsOf(regions, region).filter((value) => value === 255).length,
  );
  inks.forEach((ink, region) => {
    if (regions.labels[region]! < 10) expect(ink).toBeGreaterThanOrEqual(least);
    else expect(ink).toBeLessThanOrEqual(most);
  });
  // Whole digits, partial ones, and none.
  expect(inks).toEqual(expect.arrayContaining([side * side, 0]));
  expect(inks.some((ink) => ink > 0 && ink < side * side)).toBe(true);
});

test('a scene has one gray, of its own', () => {
  const regions = regionsOf(digits, settings, 30, 3);
  const grays = Array.from({ length: 30 }, (_, scene) => {
    const values = new Set<number>();
    for (let r = 8 * scene; r < 8 * scene + 8; r++) for (const v of pixelsOf(regions, r)) values.add(v);
    values.delete(255);
    expect(values.size).toBe(1);
    return [...values][0]!;
  });
  expect(Math.max(...grays)).toBeLessThanOrEqual(Math.round(255 * settings.background));
  expect(new Set(grays).size).toBeGreaterThan(10);
});

test('the seed decides, and a scene that is too full is refused', () => {
  expect(regionsOf(digits, settings, 3, 1)).toEqual(regionsOf(digits, settings, 3, 1));
  expect(regionsOf(digits, settings, 3, 1)).not.toEqual(regionsOf(digits, settings, 3, 2));
  expect(() => regionsOf(digits, { ...settings, size: 10 }, 1, 1)).toThrow(/make scenes larger/);
});
