import { changeSettings, type Statistics, type StatisticsSettings, settingsOf } from './settings.ts';
import { StockBatchNormalization } from './stock.ts';

/** The stock layer with the settings of ours, which can be set at any time. What they do is up to `BatchNormalization`. */
export class SettableBatchNormalization extends StockBatchNormalization {
  /** What normalizes in training: the batch at hand (default), or the moving statistics, which then stay. */
  get trainingStatistics(): Statistics {
    return settingsOf(this).trainingStatistics;
  }

  set trainingStatistics(trainingStatistics: Statistics) {
    changeSettings(this, { trainingStatistics });
  }

  /** What normalizes in inference: the moving statistics (default), or the batch at hand. */
  get inferenceStatistics(): Statistics {
    return settingsOf(this).inferenceStatistics;
  }

  set inferenceStatistics(inferenceStatistics: Statistics) {
    changeSettings(this, { inferenceStatistics });
  }

  /**
   * How many samples share one set of moments where batch statistics normalize; undefined (default) for the whole batch.
   * Left-over samples share a set of their own, or join the last one if they are a single value per channel. The moving
   * statistics move towards the mean of all sets, weighted by samples.
   */
  get normalizationBatchSize(): number | undefined {
    return settingsOf(this).normalizationBatchSize;
  }

  set normalizationBatchSize(normalizationBatchSize: number | undefined) {
    changeSettings(this, { normalizationBatchSize });
  }

  /** Which samples those are: `'consecutive'` ones (default), or `'strided'`, every so many-th. */
  get normalizationBatchOrder(): StatisticsSettings['normalizationBatchOrder'] {
    return settingsOf(this).normalizationBatchOrder;
  }

  set normalizationBatchOrder(normalizationBatchOrder: StatisticsSettings['normalizationBatchOrder']) {
    changeSettings(this, { normalizationBatchOrder });
  }

  /** What to do where a channel has a single value: `'throw'` (default), or `'normalize'` as TensorFlow does. */
  get singleValue(): StatisticsSettings['singleValue'] {
    return settingsOf(this).singleValue;
  }

  set singleValue(singleValue: StatisticsSettings['singleValue']) {
    changeSettings(this, { singleValue });
  }

  /** Set by `freezeBatchNorm`; undefined in a layer that is not frozen. */
  get frozen(): StatisticsSettings['frozen'] {
    return settingsOf(this).frozen;
  }
}
