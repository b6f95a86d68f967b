// Converted graphs (tf.GraphModel) as their batch norms see them, folded ones included.

export { type BakeOptions, bake } from './bake/bake.ts';
export { GraphModelError, GraphWeightsError, NoSiteError } from './errors.ts';
export { graphModel, type NormalizedGraphModel } from './graph-model.ts';
export type { GraphModelOptions } from './options.ts';
export type { LeftOut } from './sites/site.ts';
export type { LoadedGraph } from './source.ts';
export type { Precision } from './weights/codec.ts';
