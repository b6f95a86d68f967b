// A walk, carried out: what the threads of ./program.ts's WGSL do with the numbers of ./walk.ts.
import { type KernelView, kernelView } from '@rebatch/core/kernels';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeWalk, recordsPerChannel } from './records.ts';
import { mapWalk, reductionWalk, type Walk, WORKGROUP } from './walk.ts';

const viewOf = (attributes: Parameters<typeof kernelView>[0], ids?: number) =>
  kernelView(attributes, ids === undefined ? undefined : { shape: [ids] }, 'test');

const views: fc.Arbitrary<KernelView> = fc
  .record({
    rows: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 50, max: 300 })),
    channels: fc.oneof(fc.constantFrom(1, 3, 4, 17, 64, 65, 256), fc.integer({ min: 1, max: 300 })),
    inner: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 60 }), fc.constantFrom(196, 515)),
    groups: fc.integer({ min: 1, max: 5 }),
    ids: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  })
  .filter(({ rows, channels, inner, groups, ids }) => (ids ?? groups) * rows * channels * inner <= 60_000)
  .map(({ rows, ids, ...sizes }) => {
    const outer = rows * (ids ?? sizes.groups);
    return viewOf({ ...sizes, outer }, ids);
  });

/** Calls `visit` with the address of every vector that a thread meets, its column and its position. */
function walkAll(
  view: KernelView,
  walk: Walk,
  visit: (address: number, column: number, position: number, group: number) => void,
): void {
  const { lanes, vector, columns, extent, tileColumns, tileThreads, tiles, parts, span } = walk;
  const grid = view.byId ? 1 : view.groups;
  const inner = view.inner / (lanes ? 1 : vector);
  for (let workgroup = 0; workgroup < tiles * parts * grid; workgroup++) {
    const [part, group] = [Math.floor(workgroup / tiles) % parts, Math.floor(workgroup / tiles / parts)];
    for (let local = 0; local < WORKGROUP; local++) {
      const inTile = lanes ? local % tileColumns : Math.floor(local / tileThreads);
      const thread = lanes ? Math.floor(local / tileColumns) : local % tileThreads;
      const column = (workgroup % tiles) * tileColumns + inTile;
      if (inTile >= tileColumns || thread >= tileThreads || column >= columns) continue;
      for (let at = part * span + thread; at < Math.min((part + 1) * span, extent); at += tileThreads) {
        const position = view.byId ? at : group * extent + at;
        const row = Math.floor(position / inner);
        const address = lanes
          ? position * columns + column
          : (row * view.channels + column) * inner + (position % inner);
        visit(address, column, at, group);
      }
    }
  }
}

describe.each([
  ['reductionWalk', reductionWalk],
  ['mapWalk', mapWalk],
])('%s', (_, walkOf) => {
  it('meets every value once, in its own channel and block', () => {
    fc.assert(
      fc.property(views, (view) => {
        const walk = walkOf(view);
        const met = new Uint8Array(view.size);
        let misplaced = 0;
        walkAll(view, walk, (address, column, position, group) => {
          for (let k = 0; k < walk.vector; k++) {
            const i = address * walk.vector + k;
            met[i]!++;
            const channel = walk.lanes
              ? Math.floor((column * walk.vector + k) / view.inner) % view.channels
              : column;
            const block = view.byId ? Math.floor(position / walk.blockSpan) : group;
            if (channel !== Math.floor(i / view.inner) % view.channels) misplaced++;
            if (block !== Math.floor(i / (view.rows * view.channels * view.inner))) misplaced++;
          }
        });
        expect(met.every((times) => times === 1)).toBe(true);
        expect(misplaced).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('fits in a workgroup, and leaves no part empty', () => {
    fc.assert(
      fc.property(views, (view) => {
        const walk = walkOf(view);
        for (const { tileColumns, tileThreads, tiles, columns, parts, span, extent } of [
          walk,
          mergeWalk(walk, view),
        ]) {
          expect(tileColumns * tileThreads).toBeLessThanOrEqual(WORKGROUP);
          expect(tileColumns * tiles).toBeGreaterThanOrEqual(columns);
          expect((parts - 1) * span).toBeLessThan(extent);
          expect(parts * span).toBeGreaterThanOrEqual(extent);
        }
      }),
    );
  });
});

it.each([
  [{ outer: 50_176, channels: 64, inner: 1, groups: 1 }, undefined, 4],
  [{ outer: 50_176, channels: 3, inner: 1, groups: 1 }, undefined, 4],
  [{ outer: 50_176, channels: 17, inner: 1, groups: 4 }, undefined, 4],
  [{ outer: 64, channels: 5, inner: 784, groups: 1 }, undefined, 4],
  [{ outer: 64, channels: 16, inner: 9, groups: 1 }, 64, 4],
  // No rows can be taken together where each has an id of its own.
  [{ outer: 64, channels: 17, inner: 1, groups: 4 }, 64, 1],
  [{ outer: 64, channels: 5, inner: 49, groups: 1 }, undefined, 1],
] as const)('%o, %s ids: reads %i values at once', (attributes, ids, vector) => {
  expect(reductionWalk(viewOf(attributes, ids)).vector).toBe(vector);
});

it('leaves records for the second pass that are few beside what was read', () => {
  fc.assert(
    fc.property(
      fc.record({
        outer: fc.constantFrom(512, 4096, 50_176),
        channels: fc.integer({ min: 1, max: 600 }),
        inner: fc.constantFrom(1, 4, 9, 25),
      }),
      (sizes) => {
        const view = viewOf({ ...sizes, groups: 1 });
        const walk = reductionWalk(view);
        const records = walk.parts * recordsPerChannel(walk, view) * view.channels;
        // A record is 4 numbers.
        if (walk.parts > 1) expect(4 * records).toBeLessThanOrEqual(view.size / 8);
      },
    ),
  );
});
