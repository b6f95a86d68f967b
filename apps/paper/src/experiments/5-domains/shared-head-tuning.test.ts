import { expect, test } from 'vitest';
import { renderChart } from '../../report/chart.ts';
import { resultOf } from '../../testing/result-of.ts';
import { expectAllHold, expectNoneHolds } from '../../testing/verdicts.ts';
import { type Row, sharedHeadTuning } from './shared-head-tuning.ts';

/** By depth: the average precision of consistent and of mixed rows. */
function rows(precisions: Record<number, readonly [number, number]>): Row[] {
  const kinds = ['shared', 'per-domain'] as const;
  return [11, 12].flatMap((seed) =>
    Object.entries(precisions).flatMap(([depth, [consistent, mixed]]) =>
      kinds.flatMap((train) =>
        kinds.map((population) => ({
          ...{ seed, headBlocks: Number(depth), train, population },
          ap50: train === population ? consistent : mixed,
        })),
      ),
    ),
  );
}

const expected = rows({ 3: [0.6, 0.5], 4: [0.65, 0.4], 5: [0.5, 0.3] });

test('the depth is the one at which mixing costs most', () => {
  const claims = sharedHeadTuning.claims(expected);
  expectAllHold(claims, 1);
  expect(claims[0]!.measured).toContain('4 blocks: mixing costs 25.00% of 65.00%');
  expectNoneHolds(sharedHeadTuning.claims(rows({ 3: [0.6, 0.3], 4: [0.65, 0.4] })), 1);
});

test('the table has a line per depth, the chart a line per way to share', () => {
  const result = resultOf(sharedHeadTuning, expected);
  expect(sharedHeadTuning.table(result).body.map(([depth]) => depth)).toEqual(['3', '4', '5']);
  expect(renderChart(sharedHeadTuning, result)).toContain('SGD per level, population shared');
});
