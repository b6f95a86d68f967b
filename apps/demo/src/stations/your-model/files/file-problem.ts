/** Files that cannot be used: says what was expected, what came, and what to do. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
}

/** Names for a sentence, the first few of them. */
export function listed(names: readonly string[], most = 4): string {
  const shown = names.slice(0, most).map((name) => `‘${name}’`);
  return names.length > most ? `${shown.join(', ')} and ${names.length - most} more` : shown.join(', ');
}

/** The last part of a path. */
export const nameOf = (path: string) => path.split('/').at(-1) as string;
