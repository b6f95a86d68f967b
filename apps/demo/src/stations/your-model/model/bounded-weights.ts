import * as tfl from '@tensorflow/tfjs-layers';
import { FileProblem } from '../files/file-problem.ts';

type AddWeight = (name: string, shape: (number | null)[], ...more: unknown[]) => tfl.LayerVariable;

/**
 * Builds a model, and gives up as soon as its layers make more weights than its files hold. tf.layers makes them all
 * before it compares: a dense layer on a large image would take all memory, whatever the weights' own sizes. When the
 * build fails, the weights made by then are freed.
 *
 * @param values how many values the files hold, of all weights together.
 * @throws {FileProblem} (rejects) in place of making the weight that is too much.
 */
export async function withBoundedWeights<T>(values: number, build: () => Promise<T>): Promise<T> {
  // Where every layer of tf.layers makes its weights. It has no other hook before they are made.
  const layer = tfl.layers.Layer.prototype as unknown as { addWeight: AddWeight };
  const { addWeight } = layer;
  const weights: tfl.LayerVariable[] = [];
  let made = 0;
  layer.addWeight = function (this: tfl.layers.Layer, name, shape, ...more) {
    made += shape.reduce<number>((product, size) => product * (size ?? 1), 1);
    if (made > values) {
      throw new FileProblem(
        `the weight ‘${name}’ of its layer ‘${this.name}’ would be [${shape.join(', ')}], and with it the layers have ` +
          `${made.toLocaleString('en')} values, but its files hold ${values.toLocaleString('en')}.`,
      );
    }
    const weight = addWeight.call(this, name, shape, ...more);
    weights.push(weight);
    return weight;
  };
  try {
    return await build();
  } catch (error) {
    for (const weight of weights) weight.dispose();
    throw error;
  } finally {
    layer.addWeight = addWeight;
  }
}
