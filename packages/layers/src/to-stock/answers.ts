// How a layer that is not of tf.layers says what takes its place in a stock model. `toStock` knows no class but this contract.
import type * as tfl from '@tensorflow/tfjs-layers';
import type { CopiedOutput } from '../copy/copy-graph.ts';
import type { Application } from '../copy/graph.ts';
import type { BatchNormLayer } from '../stock.ts';

/** What `toStock` does for the layers that it asks. The layers that it makes get their weights when the model is put together. */
export interface StockCopier {
  /** The domain to ship, for layers that have several; undefined if none was chosen. */
  readonly domain: string | undefined;
  /** What takes the place of another layer or model, such as one that the asked layer wraps. The same whenever asked. */
  copy(layer: tfl.layers.Layer): tfl.layers.Layer;
  /**
   * A stock layer that infers as a batch normalization layer does, with its configuration and weights. The same whenever
   * asked for the same layer and name.
   *
   * @throws {StockError} if the layer infers by batch statistics.
   */
  batchNormalization(layer: PopulationLayer, differences?: StockDifferences): tfl.layers.Layer;
}

/** A batch normalization layer that can say whether it infers by population statistics. */
export interface PopulationLayer extends BatchNormLayer {
  normalizesByBatch(training: boolean): boolean;
}

/** In what a stock layer is to differ from the layer that it is made from. */
export interface StockDifferences extends Partial<Pick<BatchNormLayer, 'name' | 'gamma' | 'beta'>> {
  readonly trainable?: boolean;
}

/** A layer that is not of tf.layers, but can be expressed by what is. */
export interface StockAnswers extends tfl.layers.Layer {
  /**
   * What takes the layer's place in a stock model, by the same inputs: made by the copier.
   *
   * @throws {RebatchError} if layers of tf.layers cannot compute the same; the message says what to do.
   */
  stockLayer?(copier: StockCopier): tfl.layers.Layer;
  /** The same for one application within a functional model, where that is not one layer of all its inputs. */
  stockOutputs?(application: Application, copier: StockCopier): readonly CopiedOutput[];
}

/** Whether a layer is to be asked. */
export function answers(layer: tfl.layers.Layer): layer is StockAnswers {
  const { stockLayer, stockOutputs } = layer as StockAnswers;
  return stockLayer !== undefined || stockOutputs !== undefined;
}
