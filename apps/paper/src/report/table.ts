import type { Table as Rows } from '@rebatch/report';
import Table from 'cli-table3';

/** A table for the terminal; the first column to the left, numbers to the right. */
export function renderTable({ head, body }: Rows): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    style: { head: [], border: [] },
    // No lines between the rows.
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  table.push(...body.map((row) => [...row]));
  return table.toString();
}
