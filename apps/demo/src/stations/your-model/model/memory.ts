// How many images fit into memory at once: what a layer makes of a batch is one array.

import * as tfl from '@tensorflow/tfjs-layers';
import { FileProblem } from '../files/file-problem.ts';
import { type ImageModel, inputOf, isGraph } from './image-model.ts';

/** Values of one layer's output for one batch, at most: 1 GiB. A tab of a browser has some 4 GiB, and layers need several. */
export const MOST_VALUES = 2 ** 28;

interface Output {
  readonly layer: string;
  /** For one image. */
  readonly values: number;
}

/** The largest output that any layer makes of one image of this height and width. */
function largestOutput(layers: readonly tfl.layers.Layer[], size: readonly number[]): Output {
  let largest: Output = { layer: '', values: 0 };
  const consider = (output: Output) => {
    if (output.values > largest.values) largest = output;
  };
  for (const layer of layers) {
    if (layer instanceof tfl.LayersModel) consider(largestOutput(layer.layers, size));
    for (const { outputShapes } of layer.inboundNodes) {
      // One shape, or one for each of several outputs.
      for (const shape of (Array.isArray(outputShapes[0]) ? outputShapes : [outputShapes]) as (
        | number
        | null
      )[][]) {
        // A side that depends on the image is taken to be the image's own: most models make it smaller.
        const values = shape
          .slice(1)
          .reduce<number>((product, side, i) => product * (side ?? size[i] ?? 1), 1);
        consider({ layer: layer.name, values });
      }
    }
  }
  return largest;
}

/**
 * Graphs do not say how large their values are. What the first layers of networks make of an image, the largest as a rule,
 * is at most so many times the image: 64 channels of 3 in VGG.
 */
const GRAPH_VALUES = 22;

function largestOf(model: ImageModel, size: readonly number[]): Output {
  if (!isGraph(model)) return largestOutput(model.layers, size);
  return { layer: 'the largest', values: GRAPH_VALUES * size[0]! * size[1]! * inputOf(model)[2] };
}

/**
 * How many images of this height and width the model may get at once.
 *
 * @throws {FileProblem} if it is none.
 */
export function mostAtOnce(model: ImageModel, size: readonly number[]): number {
  const { layer, values } = largestOf(model, size);
  const most = Math.floor(MOST_VALUES / values);
  if (most >= 1) return most;
  throw new FileProblem(
    `The layer ‘${layer}’ makes ${values.toLocaleString('en')} values of one image of ${size[0]} × ${size[1]}. This page has ` +
      `memory for ${MOST_VALUES.toLocaleString('en')} (1 GiB).`,
  );
}

/** @throws {FileProblem} if a batch of so many images of this height and width takes more memory than this page has. */
export function checkBatch(model: ImageModel, size: readonly number[], batchSize: number): void {
  const most = mostAtOnce(model, size);
  if (batchSize <= most) return;
  const { layer, values } = largestOf(model, size);
  throw new FileProblem(
    `A batch of ${batchSize} images of ${size[0]} × ${size[1]} is too large: the layer ‘${layer}’ makes ` +
      `${(batchSize * values).toLocaleString('en')} values of it, and this page has memory for ` +
      `${MOST_VALUES.toLocaleString('en')} (1 GiB). Choose a batch size of ${most} or less.`,
  );
}
