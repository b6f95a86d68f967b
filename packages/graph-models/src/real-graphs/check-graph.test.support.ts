// What must hold for a graph that somebody converted.
import { normalize } from '@rebatch/core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { bake, graphModel, type LeftOut, type NormalizedGraphModel, NoSiteError } from '../index.ts';
import { readArtifacts } from './package.test.support.ts';

/** What was found of one graph. */
export interface GraphCheck {
  readonly name: string;
  readonly sites: number;
  readonly leftOut: readonly LeftOut[];
  /** Convolutions, matrix products and batch norms that are neither a site, nor part of one, nor left out. */
  readonly lost: readonly string[];
  /** How far the outputs before adapting are from the original's, relative to the largest; null where there is no site. */
  readonly error: number | null;
  /** Sites that were not visited exactly once. */
  readonly unvisited: number;
  /** Whether baking without having adapted gives the very bytes that the graph came with. */
  readonly sameBytes: boolean;
}

/** What upstream's WASM backend cannot compute: products of integers. */
const ON_CPU: ReadonlySet<string> = new Set(['facemesh-attention']);

/** Inputs of which the graph does not even say the rank: states of a recurrent model, and a number. */
const INPUT_SHAPES = Object.fromEntries(
  ['r1i', 'r2i', 'r3i', 'r4i', 'downsample_ratio'].map((name) => [name, [] as number[]]),
);

/** Checks one graph of the package; disposes all that it made. */
export async function checkGraph(name: string): Promise<GraphCheck> {
  await tf.setBackend(ON_CPU.has(name) ? 'cpu' : 'wasm');
  const artifacts = await readArtifacts(name);
  const original = await loadGraphModel(tf.io.fromMemory(artifacts));
  try {
    const model = graphModel(original, { name, inputShapes: INPUT_SHAPES });
    try {
      const { error, unvisited } = compare(model, original);
      const sites = model.sites.map((site) => site.name);
      const baked = await bake(model);
      return {
        ...{ name, sites: sites.length, leftOut: model.leftOut, error, unvisited },
        lost: lostNodes(artifacts, new Set(sites), model.leftOut),
        sameBytes: sameBytes(baked.weightData!, artifacts.weightData!),
      };
    } finally {
      model.dispose();
    }
  } catch (error) {
    if (!(error instanceof NoSiteError)) throw error;
    const { leftOut } = error;
    const lost = lostNodes(artifacts, new Set(), leftOut);
    return { name, sites: 0, leftOut, lost, error: null, unvisited: 0, sameBytes: true };
  } finally {
    original.dispose();
  }
}

function compare(model: NormalizedGraphModel, original: Awaited<ReturnType<typeof loadGraphModel>>) {
  const inputs = model.inputs.map(({ shape }, at) => {
    const sizes = shape.map((size, axis) => size ?? (axis === 0 ? 1 : 256));
    if (original.inputs[at]!.dtype !== 'int32') return tf.randomUniform(sizes, 0, 1, 'float32', 3 + at);
    return tf.tidy(() => tf.cast(tf.randomUniform(sizes, 0, 255, 'float32', 3 + at), 'int32'));
  });
  const visits = model.sites.map(() => 0);
  const outputs = tf.tidy(() =>
    model.run(inputs, ({ site, x }) => {
      visits[site]! += 1;
      return normalize(x, model.stored()[site]!, model.sites[site]!.options());
    }),
  )!;
  const names = model.outputs.map((output) => output.name);
  const expected = [original.execute(inputs, names)].flat();
  const error = Math.max(...expected.map((y, at) => difference(outputs[at]!, y)));
  tf.dispose([...inputs, ...outputs, ...expected]);
  return { error, unvisited: visits.filter((count) => count !== 1).length };
}

function difference(actual: tf.Tensor, expected: tf.Tensor): number {
  const [a, b] = [actual.dataSync(), expected.dataSync()];
  let [largest, worst] = [0, 0];
  for (let at = 0; at < b.length; at++) {
    largest = Math.max(largest, Math.abs(b[at]!));
    worst = Math.max(worst, Math.abs(a[at]! - b[at]!));
  }
  return a.length !== b.length || Number.isNaN(worst) ? Number.POSITIVE_INFINITY : worst / (largest || 1);
}

function sameBytes(a: tf.io.WeightData, b: tf.io.WeightData): boolean {
  const [one, other] = [a, b].map((data) => new Uint8Array(tf.io.CompositeArrayBuffer.join(data)));
  return Buffer.compare(one!, other!) === 0;
}

const NORMALIZING = /Conv2D|Conv2d|MatMul$|FusedBatchNorm|Conv3D/;

/** By the topology alone: each of them is a site or left out, or what comes after it is a site, a product in between. */
function lostNodes(
  { modelTopology }: tf.io.ModelArtifacts,
  sites: ReadonlySet<string>,
  leftOut: readonly LeftOut[],
): string[] {
  const { node, library } = modelTopology as {
    node: NodeDef[];
    library?: { function?: { nodeDef?: NodeDef[] }[] };
  };
  const named = new Set([...sites, ...leftOut.map(({ name }) => name)]);
  const users = (name: string) =>
    node.filter(({ input = [] }) => input.some((one) => one === name || one === `${name}:0`));
  const isPart = (name: string): boolean =>
    users(name).some((user) => sites.has(user.name) || (user.op === 'Mul' && isPart(user.name)));
  const inFunctions = (library?.function ?? []).flatMap(({ nodeDef = [] }) => nodeDef);
  if (inFunctions.some(({ op }) => NORMALIZING.test(op))) throw new Error('look inside of functions, too');
  return node
    .filter(({ op, name }) => NORMALIZING.test(op) && !named.has(name) && !isPart(name))
    .map(({ name }) => name);
}

interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
}
