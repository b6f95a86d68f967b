// Observable Plot: fetched when it is first needed. Drawings take turns, so that the page answers between them.

import type * as Plot from '@observablehq/plot';

let library: Promise<typeof Plot> | undefined;

/** Fetched once; after a failure the next call tries again. */
export function loadPlot(): Promise<typeof Plot> {
  if (library === undefined) {
    library = import('@observablehq/plot');
    library.catch(() => {
      library = undefined;
    });
  }
  return library;
}

const waiting: (() => void)[] = [];

/** Draws when those before it are drawn, each in a task of its own: between two of them the page answers. */
export function inTurn(draw: () => void): void {
  waiting.push(draw);
  if (waiting.length === 1) setTimeout(next);
}

function next(): void {
  const draw = waiting.shift();
  if (waiting.length > 0) setTimeout(next);
  draw?.();
}
