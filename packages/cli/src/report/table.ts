import Table from 'cli-table3';

/** Rows beyond which only the first are shown. */
const MOST_ROWS = 40;

/** A table in plain text: no frames, no colors, numbers to the right. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' };
  const more = { 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '' };
  const table = new Table({
    head: [...head],
    chars: { ...none, ...more, right: '', 'right-mid': '', middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
  });
  table.push(...rows.slice(0, MOST_ROWS).map((row) => [...row]));
  const left = rows.length - MOST_ROWS;
  const text = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
  return left > 0 ? `${text}\n... and ${left} more: --json has all.` : text;
}

/** Two digits that count. */
export const short = (value: number): string =>
  value === 0
    ? '0'
    : Math.abs(value) >= 1000 || Math.abs(value) < 1e-3
      ? value.toExponential(1)
      : value.toPrecision(2);

export const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
