/** Rows of text below their titles. */
export interface Table {
  readonly head: readonly string[];
  readonly body: readonly (readonly string[])[];
}

/** The table in Markdown; columns of numbers (but for the first) to the right. */
export function markdownTable({ head, body }: Table): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const numbers = (column: number) => body.every((row) => /^[-\d]*\.?\d* ?(±[\d.]+)?$/.test(row[column]!));
  const align = head.map((_, i) => (i > 0 && numbers(i) ? '--:' : ':--'));
  return [line(head), line(align), ...body.map(line)].join('\n');
}
