// Ops that keep the shape, and whose every value depends on a whole axis.
import * as tf from '@tensorflow/tfjs-core';
import type { OpCase } from '../op-case.ts';
import { byDifferences } from '../reference.ts';
import { distinct, type Values } from '../values.ts';
import { groupsOf, RANGES } from './reductions.ts';

/** Ops along one axis that keep the shape. */
const alongAxis = (f: (values: readonly number[]) => readonly number[]) => (x: Values, axis: number) =>
  byDifferences({ x }, (inputs) => {
    const { shape, data } = inputs.x!;
    const y = new Float64Array(data.length);
    for (const group of groupsOf(inputs.x!, [axis], false).groups) {
      f(group.map((at) => data[at]!)).forEach((value, i) => {
        y[group[i]!] = value;
      });
    }
    return { shape, data: y };
  });

function softmax(values: readonly number[]): number[] {
  const powers = values.map(Math.exp);
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

const softmaxes = (['softmax', 'logSoftmax'] as const).flatMap((op) =>
  [[7], [3, 5], [2, 3, 4]].flatMap((shape) =>
    RANGES.map((range): OpCase => {
      const x = distinct(shape, ...range);
      const f = op === 'softmax' ? softmax : (values: readonly number[]) => softmax(values).map(Math.log);
      return {
        op,
        how: `[${shape}], from ${range[0]}`,
        inputs: { x },
        run: ({ x }) => (op === 'softmax' ? tf.softmax(x!) : tf.logSoftmax(x!)),
        expected: () => alongAxis(f)(x, -1),
      };
    }),
  ),
);

const sums = [[7], [3, 5], [2, 3, 4]].flatMap((shape) =>
  shape.flatMap((_, axis) =>
    [false, true].flatMap((exclusive) =>
      [false, true].map((reverse): OpCase => {
        const x = distinct(shape, -3, 3);
        const running = (values: readonly number[]) => {
          const ordered = reverse ? values.toReversed() : values;
          const made = ordered.map((_, i) =>
            ordered.slice(0, exclusive ? i : i + 1).reduce((a, b) => a + b, 0),
          );
          return reverse ? made.reverse() : made;
        };
        return {
          op: 'cumsum',
          how: `[${shape}] along ${axis}${exclusive ? ', exclusive' : ''}${reverse ? ', reverse' : ''}`,
          inputs: { x },
          run: ({ x }) => tf.cumsum(x!, axis, exclusive, reverse),
          expected: () => alongAxis(running)(x, axis),
        };
      }),
    ),
  ),
);

export const scans: readonly OpCase[] = [...softmaxes, ...sums];
