// What holds where a stream is of one class, decided by the rows.

import type { Claim } from '@rebatch/findings';
import { decideByMargin } from '../../../rows/interval.ts';
import { unique } from '../../../rows/rows.ts';
import { mean, percent } from '../../../rows/summary.ts';
import { errorsOf, MINI_BATCH, type Row, SOURCE, WAYS } from './rows.ts';

export function claims(rows: readonly Row[]): Claim[] {
  const shifts = unique(rows.map(({ shift }) => shift));
  const clean = shifts[0]!;
  const most = Math.max(...rows.map(({ samples }) => samples));
  const at = (way: Row['way'], shift = clean) =>
    errorsOf(rows, { way, shift, samples: way === SOURCE || way === MINI_BATCH ? 0 : most });
  const above = (way: Row['way'], other: Row['way'] = SOURCE, shift = clean) => {
    const others = at(other, shift);
    return at(way, shift).map((error, i) => error - others[i]!);
  };
  const list = (shift = clean) =>
    [SOURCE, ...WAYS].map((way) => `${way} ${percent(mean(at(way as Row['way'], shift)), 1)}`).join(', ');
  const show = (values: readonly number[]) => percent(mean(values), 1);
  const stream = `${most} clean photographs of one class`;
  const found: Claim[] = [
    decideByMargin(
      `Plain adapting fails: on ${stream} it raises the error on all classes by at least 5 points.`,
      list(),
      above('plain').map((by) => by - 0.05),
      `It raises it by ${show(above('plain'))}.`,
    ),
    decideByMargin(
      `Mini-batch statistics fail likewise: on batches of one class they raise the error by at least 5 points.`,
      `${show(at(MINI_BATCH))}, where source statistics give ${show(at(SOURCE))}`,
      above(MINI_BATCH).map((by) => by - 0.05),
      `They raise it by ${show(above(MINI_BATCH))}.`,
    ),
    decideByMargin(
      `Relative to a reference of the same class it holds: ${stream} raise the error by at most 2 points.`,
      list(),
      above('reference, same class').map((by) => 0.02 - by),
      `They raise it by ${show(above('reference, same class'))}.`,
    ),
    decideByMargin(
      `A prior as large as the stream halves the harm of plain adapting at least.`,
      `harm ${show(above('prior as large'))}, plain ${show(above('plain'))}`,
      above('prior as large').map((by, i) => above('plain')[i]! / 2 - by),
      `The harm is ${show(above('prior as large'))} with it and ${show(above('plain'))} without.`,
    ),
  ];
  for (const shift of shifts.slice(1)) {
    found.push(
      decideByMargin(
        `Under a real shift (${shift}) a reference of the same class is better than plain adapting, and than none: by at ` +
          'least 2 points each.',
        list(shift),
        above('plain', 'reference, same class', shift).map(
          (by, i) => Math.min(by, above(SOURCE, 'reference, same class', shift)[i]!) - 0.02,
        ),
        `It is ${show(above('plain', 'reference, same class', shift))} better than plain adapting, and ` +
          `${show(above(SOURCE, 'reference, same class', shift))} better than none.`,
      ),
    );
  }
  return found;
}
