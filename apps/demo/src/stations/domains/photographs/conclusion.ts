import { percent } from '../../../ui/percent.ts';
import { type Reading, type Stream, WAYS, type Way } from './settings.ts';

export type Readings = Readonly<Partial<Record<Way | 'source', Reading>>>;

/** Differences that are this small, in percentage points, are not told. */
const NOTHING = 1;

/** What the readings show, in words; undefined until all of them are there. */
export function conclusion(readings: Readings, stream: Stream): string | undefined {
  const { source, plain, prior, reference, same } = readings;
  if (!source || !plain || !prior || !reference || !same) return undefined;
  const start =
    stream === 'all'
      ? `Adapted to all ten classes, the network reads ${percent(plain.accuracy)}${against(plain, source)}.`
      : `Adapted plainly to ${plural(stream)} alone, the network reads ${percent(plain.accuracy)} of all ten classes${against(plain, source)}.`;
  if (stream === 'all') return start;
  const others = [prior, same];
  const best = others.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  const gain = points(best, plain);
  if (gain < NOTHING) return `${start} Neither a larger prior nor a reference does better here.`;
  const [how, why] =
    best === same
      ? [
          `Relative to clean ${plural(stream)}`,
          `what is special about ${plural(stream)} and what was done to the photographs are told apart`,
        ]
      : ['With a prior of 64', `a few ${plural(stream)} count for little beside what the network knows`];
  return `${start} ${how} it is ${percent(best.accuracy)}: ${why}.`;
}

/** What a way of adapting is called. */
export const nameOf = (way: Way): string => WAYS.find(({ value }) => value === way)?.text ?? way;

/** Percentage points by which one reads more than another. */
export const points = (one: Reading, other: Reading): number => 100 * (one.accuracy - other.accuracy);

export const plural = (name: string): string => `${name}s`;

function against(now: Reading, before: Reading): string {
  const change = points(now, before);
  if (Math.abs(change) < NOTHING) return ', as before';
  return `, ${Math.abs(change).toFixed(0)} points ${change > 0 ? 'more' : 'fewer'} than before`;
}
