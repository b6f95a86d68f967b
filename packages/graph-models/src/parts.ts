// What a model is made of, for those of our functions that are not among its methods.
import { shown } from '@rebatch/stats/~internal';
import { GraphModelError } from './errors.ts';
import type { GraphSite } from './sites/site.ts';
import type { GraphSource } from './source.ts';

/** What lies behind a `NormalizedGraphModel`. */
export interface Parts {
  readonly source: GraphSource;
  /** In the order of the model's. */
  readonly sites: readonly GraphSite[];
}

const parts = new WeakMap<object, Parts>();

/** Remembers what a model is made of. */
export function keepParts(model: object, own: Parts): void {
  parts.set(model, own);
}

/** @throws {GraphModelError} for anything that `graphModel` did not return. */
export function partsOf(caller: string, model: object): Parts {
  const own = parts.get(model ?? {});
  if (own !== undefined) return own;
  throw new GraphModelError(
    `${caller}: expected what graphModel(...) of this package returned, got ${shown(model)}.`,
  );
}
