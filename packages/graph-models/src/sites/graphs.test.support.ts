// Graphs that are written node by node, and the sites that are found in them.
import { attribute, GraphWriter } from '@rebatch/test-models/graphs';
import type * as tf from '@tensorflow/tfjs-core';
import { graphModel } from '../index.ts';

export const IMAGE = [null, 6, 6, 3];
export const { ints, text, texts, int, bool, float } = attribute;
export const convolves = { strides: ints(1, 1, 1, 1), padding: text('SAME'), data_format: text('NHWC') };
export const ones = (size: number) => new Float32Array(size).fill(1);

export type Build = (graph: GraphWriter, x: string) => string | string[];

/** A graph with one more site, `known`, so that it has one in any case. @param build returns the names of the outputs. */
export function write(build: Build): tf.io.ModelArtifacts {
  const graph = new GraphWriter();
  const x = graph.input('x', IMAGE);
  const known = conv(graph, 'known', x, 3, 3, { fused: true });
  const outputs = [build(graph, known)].flat();
  return graph.artifacts(Object.fromEntries(outputs.map((name) => [name, []])));
}

export function conv(
  graph: GraphWriter,
  name: string,
  x: string,
  inputs: number,
  outputs: number,
  {
    fused = false,
    weights = graph.constant(`${name}/w`, ones(inputs * outputs), [1, 1, inputs, outputs]),
  } = {},
): string {
  if (!fused) return graph.node('Conv2D', name, [x, weights], convolves);
  const bias = graph.constant(`${name}/b`, ones(outputs), [outputs]);
  return graph.node('_FusedConv2D', name, [x, weights, bias], {
    ...convolves,
    num_args: int(1),
    fused_ops: texts('BiasAdd'),
  });
}

export function found(artifacts: tf.io.ModelArtifacts) {
  const adapted = graphModel(artifacts);
  const names = adapted.sites.map(({ name }) => name).filter((name) => name !== 'known');
  const { leftOut } = adapted;
  adapted.dispose();
  return { names, leftOut };
}
