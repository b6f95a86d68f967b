// A small one-stage detector in the manner of RetinaNet (Lin et al. 2017): a backbone, a feature pyramid, and a head whose
// convolutions are shared by all levels of the pyramid, and whose batch normalization is what the experiment is about.

import { domainBatchNormalization, type Sharing } from '@rebatch/domains';
import { batchNormalization } from '@rebatch/layers';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Level } from './anchors.ts';

/** What the levels of the head share: everything that can be chosen about its batch normalization. */
export interface HeadNormalization {
  /** Whose moments normalize in training: those of all levels together, or each level's own. */
  readonly train: Sharing;
  /** Whose moments normalize in inference. */
  readonly population: Sharing;
  /** Gamma and beta. */
  readonly affine: Sharing;
}

/** The sizes of a detector. */
export interface DetectorShape {
  /** Channels of the 3x3 convolutions of each stage, which halves the resolution first. The last stages feed the levels. */
  readonly backbone: readonly (readonly number[])[];
  /** Channels of the pyramid and of the head. */
  readonly channels: number;
  /** Convolutions with BN and ReLU in the head, before its two outputs. */
  readonly headBlocks: number;
}

export interface DetectorOptions extends DetectorShape {
  readonly seed: number;
  /** Width and height of the scenes. */
  readonly size: number;
  readonly levels: readonly Level[];
  readonly classes: number;
  readonly normalization: HeadNormalization;
}

/** What the head answers at first for every class and anchor: nearly all are background. */
const PRIOR = 0.01;

/**
 * Scenes [batch, size, size, 1] to class logits [batch, anchors, classes] and box codes [batch, anchors, 4], the anchors
 * in the order of `anchorsOf`. The same seed gives the same weights, whatever the normalization.
 */
export function buildDetector(options: DetectorOptions): tfl.LayersModel {
  const { seed, size, levels, channels, classes, normalization } = options;
  const parts = new Parts(seed);
  const input = tfl.input({ shape: [size, size, 1] });
  const stages = backbone(parts, input, options.backbone);
  let features = pyramid(parts, stages.slice(-levels.length), channels);
  for (let block = 0; block < options.headBlocks; block++) {
    const conv = parts.conv(channels, 3);
    // The moving statistics are recalibrated before they are used, so it does not matter how fast they move.
    const norm = domainBatchNormalization({
      name: parts.name(`head${block + 1}`),
      domains: levels.map(({ name }) => name),
      from: 'application',
      statistics: { train: normalization.train, population: normalization.population },
      affine: normalization.affine,
    });
    const normalized = norm.apply(features.map((x) => apply(conv, x))) as tfl.SymbolicTensor[];
    features = normalized.map(relu);
  }
  const output = (conv: tfl.layers.Layer, values: number) => {
    const flat = features.map((x) => {
      const [, height, width] = x.shape;
      return apply(tfl.layers.reshape({ targetShape: [height! * width!, values] }), apply(conv, x));
    });
    return tfl.layers.concatenate({ axis: 1 }).apply(flat) as tfl.SymbolicTensor;
  };
  const logits = output(parts.output(classes, -Math.log(1 / PRIOR - 1)), classes);
  const codes = output(parts.output(4, 0), 4);
  return tfl.model({ inputs: input, outputs: [logits, codes] });
}

/** Frees the weights. A layer that was applied several times counts as many owners, of which `model.dispose` is one. */
export function disposeDetector(model: tfl.LayersModel): void {
  for (const layer of model.layers) {
    let owners: number;
    do owners = layer.dispose().refCountAfterDispose;
    while (owners > 0);
  }
}

/** The last features of each stage, each stage at half the resolution of the one before. */
function backbone(parts: Parts, input: tfl.SymbolicTensor, stages: DetectorShape['backbone']) {
  let x = input;
  return stages.map((stage) => {
    for (const [i, filters] of stage.entries()) {
      const convolved = apply(parts.conv(filters, 3, i === 0 ? 2 : 1), x);
      x = relu(apply(batchNormalization({ name: parts.name('bn') }), convolved));
    }
    return x;
  });
}

/** Same channels on every level, and to each level the next coarser one added (Lin et al. 2017, FPN). */
function pyramid(parts: Parts, stages: readonly tfl.SymbolicTensor[], channels: number) {
  const levels = stages.map((x) => apply(parts.conv(channels, 1), x));
  for (let i = levels.length - 2; i >= 0; i--) {
    const finer = apply(tfl.layers.upSampling2d({ size: [2, 2] }), levels[i + 1]!);
    levels[i] = tfl.layers.add().apply([levels[i]!, finer]) as tfl.SymbolicTensor;
  }
  return levels;
}

function relu(x: tfl.SymbolicTensor): tfl.SymbolicTensor {
  return apply(tfl.layers.reLU(), x);
}

function apply(layer: tfl.layers.Layer, x: tfl.SymbolicTensor): tfl.SymbolicTensor {
  return layer.apply(x) as tfl.SymbolicTensor;
}

let detectors = 0;

/** Convolutions with seeded weights, and names that no other model has. */
class Parts {
  readonly #detector = `detector${++detectors}`;
  #seed: number;
  #names = 0;

  constructor(seed: number) {
    this.#seed = seed * 1000;
  }

  name(what: string): string {
    return `${this.#detector}_${what}_${++this.#names}`;
  }

  /** Before batch normalization, so without a bias. */
  conv(filters: number, kernelSize: number, strides = 1): tfl.layers.Layer {
    const kernelInitializer = tfl.initializers.heNormal({ seed: ++this.#seed });
    return tfl.layers.conv2d({
      filters,
      kernelSize,
      strides,
      padding: 'same',
      useBias: false,
      kernelInitializer,
    });
  }

  output(filters: number, bias: number): tfl.layers.Layer {
    return tfl.layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      kernelInitializer: tfl.initializers.randomNormal({ stddev: 0.01, seed: ++this.#seed }),
      biasInitializer: tfl.initializers.constant({ value: bias }),
    });
  }
}
