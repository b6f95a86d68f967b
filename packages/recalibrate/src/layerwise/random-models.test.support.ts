// Random graphs of normalized nodes, for laws that hold for all models.
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';

/** How a node of a random graph is made of earlier ones. */
type Kind = 'dense' | 'add' | 'concat' | 'shared' | 'nested';
export interface NodeSpec {
  readonly kind: Kind;
  readonly a: number;
  readonly b: number;
}

/** A functional model in which each node is batch-normalized; shared layers are applied at several depths. */
export function randomModel(specs: readonly NodeSpec[], seed: number): tfl.LayersModel {
  const kernel = () => tfl.initializers.randomNormal({ seed: seed++, stddev: 0.7 });
  const dense = () => tfl.layers.dense({ units: 4, kernelInitializer: kernel() });
  const input = tfl.input({ shape: [4] });
  const nodes: tfl.SymbolicTensor[] = [input];
  const shared = { dense: dense(), norm: tfl.layers.batchNormalization() };
  const inner = tfl.sequential();
  inner.add(tfl.layers.dense({ units: 4, inputShape: [4], kernelInitializer: kernel() }));
  inner.add(tfl.layers.batchNormalization());
  inner.add(tfl.layers.reLU());
  const last = (x: tfl.SymbolicTensor) => {
    const normalized = tfl.layers.batchNormalization().apply(x) as tfl.SymbolicTensor;
    nodes.push(tfl.layers.activation({ activation: 'tanh' }).apply(normalized) as tfl.SymbolicTensor);
  };
  let nestedUsed = false;
  for (const { kind, a, b } of specs) {
    const [x, z] = [nodes[a % nodes.length]!, nodes[b % nodes.length]!];
    if (kind === 'add' && x !== z) last(tfl.layers.add().apply([x, z]) as tfl.SymbolicTensor);
    else if (kind === 'concat' && x !== z) {
      last(dense().apply(tfl.layers.concatenate().apply([x, z])) as tfl.SymbolicTensor);
    } else if (kind === 'shared') {
      nodes.push(shared.norm.apply(shared.dense.apply(x)) as tfl.SymbolicTensor);
    } else if (kind === 'nested' && !nestedUsed) {
      nestedUsed = true;
      nodes.push(inner.apply(x) as tfl.SymbolicTensor);
    } else last(dense().apply(x) as tfl.SymbolicTensor);
  }
  const outputs = tfl.layers.dense({ units: 1 }).apply(nodes.at(-1)!) as tfl.SymbolicTensor;
  return tfl.model({ inputs: input, outputs });
}

export const nodeSpec: fc.Arbitrary<NodeSpec> = fc.record({
  kind: fc.constantFrom<Kind>('dense', 'dense', 'add', 'concat', 'shared', 'nested'),
  a: fc.nat(9),
  b: fc.nat(9),
});
