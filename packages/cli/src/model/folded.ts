// Sites of graphs whose statistics were folded into weights, beside others that have theirs.

/** In a sentence. */
export function describeFolded(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => `'${name}'`);
  const more = names.length > shown.length ? `, and ${names.length - shown.length} more` : '';
  return (
    `weights with a bias stay as they are (${shown.join(', ')}${more}), into which statistics may have been folded. This is ` +
    'about the batch norms that the graph still has.'
  );
}
