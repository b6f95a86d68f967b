// Overwriting what only a batch norm reads: the same values come out of the model, whoever else reads what.
import { normalize } from '@rebatch/core';
import { preciseBatchNormalize, preciseMoments } from '@rebatch/core/~internal';
import { batchNormalization, batchNormLayers } from '@rebatch/layers';
import { onEachBackend, randomizeWeights, randomTensor } from '@rebatch/test-models';
import { expectClose, expectNoLeaks } from '@rebatch/testing';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layersModel, type NormalizedModel, type Visitor } from '../index.ts';

/** One more node of a graph, made of earlier ones. */
const KINDS = [
  'conv',
  'norm',
  'own norm',
  'relu',
  'relu6',
  'add',
  'the same conv',
  'the same norm',
  'nested',
] as const;
interface Node {
  readonly kind: (typeof KINDS)[number];
  readonly of: number;
  readonly and: number;
}
const CHANNELS = 3;
const SHAPE = [2, 2, CHANNELS];

/** Nodes that mostly follow on each other, so that what may be overwritten is common, and what may not be, too. */
const node: fc.Arbitrary<Node> = fc.record({
  kind: fc.constantFrom(...KINDS, 'conv', 'norm', 'norm', 'relu', 'relu6'),
  of: fc.oneof(fc.constant(0), fc.constant(0), fc.constant(0), fc.nat(5)),
  and: fc.nat(5),
});

type Symbolic = tfl.SymbolicTensor;
const conv = () => tfl.layers.conv2d({ filters: CHANNELS, kernelSize: 1 });

function graphOf(nodes: readonly Node[], outputs: readonly number[]): tfl.LayersModel {
  const input = tfl.input({ shape: SHAPE });
  const shared = { conv: conv(), norm: tfl.layers.batchNormalization() };
  const inner = tfl.sequential({
    layers: [tfl.layers.conv2d({ filters: CHANNELS, kernelSize: 1, inputShape: SHAPE })],
  });
  inner.add(tfl.layers.batchNormalization());
  inner.add(tfl.layers.reLU());
  // Counted from the newest.
  const made: Symbolic[] = [input];
  const at = (place: number) => made.at(-1 - (place % made.length))!;
  const apply = (layer: tfl.layers.Layer, x: Symbolic | Symbolic[]) => layer.apply(x) as Symbolic;
  const make = ({ kind, of, and }: Node): Symbolic => {
    const x = at(of);
    if (kind === 'conv') return apply(conv(), x);
    if (kind === 'norm') return apply(tfl.layers.batchNormalization(), x);
    if (kind === 'own norm') return apply(batchNormalization(), x);
    if (kind === 'relu') return apply(tfl.layers.activation({ activation: 'relu' }), x);
    if (kind === 'relu6') return apply(tfl.layers.reLU({ maxValue: 6 }), x);
    if (kind === 'the same conv') return apply(shared.conv, x);
    if (kind === 'the same norm') return apply(shared.norm, x);
    if (kind === 'nested') return apply(inner, x);
    return x === at(and) ? apply(conv(), x) : apply(tfl.layers.add(), [x, at(and)]);
  };
  for (const one of [{ kind: 'conv', of: 0, and: 0 }, { kind: 'norm', of: 0, and: 0 }, ...nodes] as const) {
    made.push(make(one));
  }
  const ends = [...new Set([at(0), ...outputs.map(at)])];
  const found = tfl.model({ inputs: input, outputs: ends });
  // The second node normalizes; where no end comes of any that does, it is one.
  const model =
    batchNormLayers(found).length > 0 ? found : tfl.model({ inputs: input, outputs: [...ends, made[2]!] });
  randomizeWeights(model, 5);
  return model;
}

/** Visitors that overwrite where they may, and the same without. */
const visitors = (model: NormalizedModel): Record<string, (over: boolean) => Visitor> => {
  const optionsOf = (site: number) => model.sites[site]!.options();
  return {
    'by the batch': (overs) => (one) => {
      const over = overs ? one.over : undefined;
      return (over?.normalizeByBatch() ?? preciseBatchNormalize(one.x, optionsOf(one.site))).y;
    },
    'by what is stored': (overs) => (one) => {
      const stored = model.stored()[one.site]!;
      const over = overs ? one.over : undefined;
      return over?.normalize(stored) ?? normalize(one.x, stored, optionsOf(one.site));
    },
    'not at all': (overs) => (one) => (overs && one.over ? one.over.measure().y : tf.add(one.x, 0)),
  };
};

/** How often each kernel ran. */
function kernelsOf(run: () => unknown): Map<string, number> {
  const engine = tf.engine() as unknown as { runKernel: (name: string, ...rest: unknown[]) => unknown };
  const own = engine.runKernel;
  const counts = new Map<string, number>();
  engine.runKernel = (name, ...rest) => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return own.call(engine, name, ...rest);
  };
  try {
    tf.tidy(() => void run());
    return counts;
  } finally {
    engine.runKernel = own;
  }
}

onEachBackend((backend) => {
  test('whatever the graph, what comes out is what comes out without', async () => {
    let overwrote = 0;
    let left = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(node, { maxLength: 12 }),
        fc.array(fc.nat(9), { maxLength: 2 }),
        async (nodes, outputs) => {
          const model = graphOf(nodes, outputs);
          const subject = layersModel(model);
          const x = randomTensor([5, ...SHAPE], 3);
          await expectNoLeaks(tf, () => {
            for (const visitor of Object.values(visitors(subject))) {
              tf.tidy(() => {
                const expected = subject.run([x], visitor(false))!;
                const given = subject.run([x], (one) => {
                  if (one.over) overwrote++;
                  else left++;
                  return visitor(true)(one);
                })!;
                expected.forEach((tensor, i) => {
                  expectClose(given[i]!.dataSync(), tensor.dataSync(), 1e-5);
                });
              });
            }
          });
          tf.dispose(x);
          model.dispose();
        },
      ),
      { numRuns: 100 },
    );
    // The law is about both.
    expect(overwrote).toBeGreaterThan(100);
    expect(left).toBeGreaterThan(100);
  });

  describe('between a convolution and a ReLU6', () => {
    const nodes = [
      { kind: 'relu6', of: 0, and: 0 },
      { kind: 'conv', of: 0, and: 0 },
      { kind: 'norm', of: 0, and: 0 },
      { kind: 'relu', of: 0, and: 0 },
    ] as const;

    test('the moments are those of the values before, and of as many', () => {
      const model = graphOf(nodes, []);
      const subject = layersModel(model);
      tf.tidy(() => {
        const x = randomTensor([5, ...SHAPE], 3);
        for (const way of ['normalizeByBatch', 'measure'] as const) {
          subject.run([x], ({ x: own, site, over }) => {
            const { packed } = preciseMoments(own, subject.sites[site]!.options());
            const measured = over![way]();
            expect(measured.moments.packed.dataSync()).toEqual(packed.dataSync());
            expect(measured.moments.count).toBe(5 * 2 * 2);
            return measured.y;
          });
        }
      });
      model.dispose();
    });

    test('nothing else runs where there are kernels, and all as ever where there are none', () => {
      const model = graphOf(nodes, []);
      const subject = layersModel(model);
      const x = randomTensor([5, ...SHAPE], 3);
      const counts = kernelsOf(() => subject.run([x], visitors(subject)['by the batch']!(true)));
      const activations =
        (counts.get('Relu') ?? 0) + (counts.get('Relu6') ?? 0) + (counts.get('ClipByValue') ?? 0);
      expect(activations).toBe(backend === 'wasm' ? 0 : 2);
      expect(counts.get('RebatchNormalizeOver') ?? 0).toBe(backend === 'wasm' ? 2 : 0);
      // A visitor that does not overwrite finds the model as it is.
      expect(kernelsOf(() => subject.run([x], visitors(subject)['by the batch']!(false))).get('Relu')).toBe(
        2,
      );
      tf.dispose(x);
      model.dispose();
    });

    test('settings that change afterwards hold', () => {
      const model = graphOf(nodes.slice(0, 1), []);
      const subject = layersModel(model);
      const activation = model.layers.at(-1)! as tfl.layers.Layer & { maxValue: number };
      const largest = () =>
        tf.tidy(() => {
          const [y] = subject.run([randomTensor([50, ...SHAPE], 3)], (one) =>
            one.over!.normalize({ mean: tf.zeros([CHANNELS]), variance: tf.fill([CHANNELS], 1e-6) }),
          )!;
          return tf.max(y!).dataSync()[0];
        });
      expect(largest()).toBe(6);
      activation.maxValue = 2;
      expect(largest()).toBe(2);
      // Something of the user's own stands in for it.
      activation.call = (own) => tf.mul([own].flat()[0]!, 0);
      expect(largest()).toBe(0);
      model.dispose();
    });

    test('what something stands in for is left alone', () => {
      const model = graphOf(nodes.slice(0, 1), []);
      const subject = layersModel(model);
      const made: tf.Tensor[] = [];
      const before = model.layers[1]!;
      const { call } = Object.getPrototypeOf(before);
      before.call = (own, kwargs) => {
        const y = call.call(before, own, kwargs) as tf.Tensor;
        made.push(tf.keep(y));
        return y;
      };
      tf.tidy(() => {
        subject.run([randomTensor([5, ...SHAPE], 3)], (one) => {
          expect(one.over).toBeUndefined();
          return tf.add(one.x, 1);
        });
      });
      tf.dispose(made);
      model.dispose();
    });
  });
});
