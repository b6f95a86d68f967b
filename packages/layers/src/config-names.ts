// What the configuration of a layer may name.
import { checkNames, checkValue, finite, flag, type MakeError } from '@rebatch/stats/~internal';
import { SETTINGS } from './settings.ts';
import type { BatchNormLayer } from './stock.ts';

/** What tf.layers takes for any layer, and adds to whatever it loads. */
const ANY_LAYER = [
  'name',
  'trainable',
  'inputShape',
  'batchInputShape',
  'batchSize',
  'dtype',
  'inputDType',
  'weights',
  'customObjects',
];

/** What `batchNormalization` takes: what tf.layers takes for such a layer, and our settings. */
export const BATCH_NORM_NAMES: readonly string[] = [
  'axis',
  'momentum',
  'epsilon',
  'center',
  'scale',
  'betaInitializer',
  'gammaInitializer',
  'movingMeanInitializer',
  'movingVarianceInitializer',
  'betaConstraint',
  'gammaConstraint',
  'betaRegularizer',
  'gammaRegularizer',
  ...SETTINGS,
];

/**
 * Throws if the configuration of a layer names what there is not: an option that is misspelled would else be left out in
 * silence. For classes of our own; what others derive from them has names that we do not know.
 *
 * @param known what there is beside what tf.layers takes for any layer.
 */
export function checkConfigNames(
  { name }: Pick<BatchNormLayer, 'name'>,
  config: object,
  known: readonly string[],
  Failure: MakeError,
): void {
  checkNames(`Layer '${name}'`, config, [...known, ...ANY_LAYER], Failure);
}

/** Throws unless a layer has what the stock class takes unseen: numbers for numbers, and yes or no. */
export function checkNumbers(layer: BatchNormLayer, Failure: MakeError): void {
  const who = `Layer '${layer.name}'`;
  checkValue(who, 'momentum', layer.momentum, finite({ least: 0, most: 1 }), Failure);
  checkValue(who, 'epsilon', layer.epsilon, finite({ least: 0 }), Failure);
  checkValue(who, 'center', layer.center, flag, Failure);
  checkValue(who, 'scale', layer.scale, flag, Failure);
}
