// Converted graphs for tests and benches: a writer node by node, and one of whole tf.layers models.
export { type Attributes, attribute, GraphWriter, type Storage } from './graph-writer.ts';
export { halfOf, nearestHalf, type Quantized, quantize } from './quantize.ts';
export { type GraphStyle, writeGraph } from './write-graph.ts';
