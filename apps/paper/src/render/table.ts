import Table from 'cli-table3';

/** A table for the terminal; the first column to the left, numbers to the right. */
export function renderTable({ head, body }: { head: string[]; body: string[][] }): string {
  const table = new Table({
    head,
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    style: { head: [], border: [] },
    // No lines between the rows.
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  table.push(...body);
  return table.toString();
}
