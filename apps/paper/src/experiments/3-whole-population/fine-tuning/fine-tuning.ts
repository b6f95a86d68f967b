// Sec. 3 of the paper, where most people meet it: a pretrained network is fine-tuned in so few steps that the EMA still
// has the statistics that it started from, while the weights have moved.

import { ranges } from '@rebatch/images';
import { freezeBatchNorm } from '@rebatch/layers';
import { recalibrate } from '@rebatch/recalibrate';
import type * as tfl from '@tensorflow/tfjs-layers';
import type { Experiment, SeedContext, SeedSettings } from '../../../experiment.ts';
import { tableAndFigure } from '../../../rows/conditions.ts';
import { ImageBatches } from '../../../training/image-batches.ts';
import { buildNetwork, errorRate, FIVE_LAYERS } from '../../../training/network.ts';
import { type LayerwisePopulation, usePopulation } from '../../../training/population.ts';
import { type CosineSettings, trainWithCosine } from '../../../training/training.ts';
import { claims } from './claims.ts';
import { CLASSES, loadTask, type Task, type TaskSettings } from './digits.ts';
import { AS_TRAINED, emaName, FROZEN, FROZEN_FAST, RECALIBRATED, type Row } from './rows.ts';

interface Settings extends SeedSettings, TaskSettings {
  /** Training on the old classes, which ends on statistics that describe them: what a shipped backbone has. */
  readonly pretraining: CosineSettings & { readonly population: LayerwisePopulation };
  /** Training of all weights on the new ones, behind a new head. */
  readonly tuning: {
    readonly batch: number;
    readonly epochs: number;
    /** Of the first step: what does best with batch statistics, and with frozen layers. */
    readonly learningRates: { readonly batchStatistics: number; readonly frozen: number };
    readonly schedule: 'cosine';
    /** Gamma and beta of frozen layers. */
    readonly affine: 'fixed';
  };
  readonly momentums: readonly number[];
}

const FULL: Settings = {
  seeds: [1, 2, 3],
  training: 50_000,
  images: 240,
  test: 10_000,
  pretraining: {
    blocks: FIVE_LAYERS,
    batch: 32,
    steps: 800,
    learningRate: 0.1,
    schedule: 'cosine',
    population: { mode: 'layerwise', samples: 2_048 },
  },
  tuning: {
    batch: 16,
    epochs: 10,
    learningRates: { batchStatistics: 0.3, frozen: 0.03 },
    schedule: 'cosine',
    affine: 'fixed',
  },
  momentums: [0.9, 0.99, 0.999],
};

const QUICK: Settings = { ...FULL, seeds: [1], pretraining: { ...FULL.pretraining, steps: 400 } };

export const fineTuning: Experiment<Row, Settings> = {
  name: 'fine-tuning',
  section: '3. Whole population as a batch: fine-tuning',
  summary:
    'test error of a pretrained network after fine-tuning on 240 images of new classes, with an EMA of some momentum and frozen, as trained ' +
    'and recalibrated',
  finding:
    'An EMA with a large lambda is outdated: it mixes the statistics of networks of many steps ago. PreciseBN takes them ' +
    'from the weights as they are. (Fine-tuning itself is not in the paper.)',

  settings: (quick) => (quick ? QUICK : FULL),

  steps: (settings) => settings.pretraining.steps + waysOf(settings).length * stepsOf(settings),

  async runSeed(seed, settings, context) {
    const task = await loadTask(seed, settings);
    const backbone = await pretrain(task, seed, settings, context);
    const rows: Row[] = [];
    try {
      for (const way of waysOf(settings)) {
        const measured = await fineTune(backbone, task, way, seed, settings, context);
        rows.push(...measured);
      }
      return rows;
    } finally {
      backbone.dispose();
    }
  },

  claims,

  ...tableAndFigure('test error'),
};

/** One way to fine-tune. */
interface Way {
  readonly condition: string;
  readonly learningRate: number;
  /** Of the EMA; without one the layers are frozen. */
  readonly momentum?: number;
  /** Whether it is also measured on recalibrated statistics. */
  readonly recalibrate: boolean;
}

function waysOf({ momentums, tuning: { learningRates } }: Settings): Way[] {
  const { batchStatistics, frozen } = learningRates;
  return [
    ...momentums.map((momentum) => ({
      condition: emaName(momentum),
      learningRate: batchStatistics,
      momentum,
      recalibrate: true,
    })),
    { condition: FROZEN, learningRate: frozen, recalibrate: true },
    // Where it diverges there is nothing to recalibrate.
    { condition: FROZEN_FAST, learningRate: batchStatistics, recalibrate: false },
  ];
}

/** Steps of one fine-tuning. */
function stepsOf({ images, tuning: { batch, epochs } }: Settings): number {
  return epochs * Math.floor(images / batch);
}

/** A network that knows the old classes, on their statistics. */
async function pretrain(
  { pretraining: digits }: Task,
  seed: number,
  { pretraining }: Settings,
  context: SeedContext,
): Promise<tfl.LayersModel> {
  const { blocks, population } = pretraining;
  const { signal } = context;
  const model = buildNetwork({ seed, momentum: 0.9, blocks, classes: CLASSES });
  try {
    await trainWithCosine(model, digits, { seed, ...pretraining }, context, `seed ${seed}, pretraining`);
    await usePopulation(model, digits, { seed, batch: EVALUATION_BATCH, ...population, signal });
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** The test errors of a copy of the backbone that is fine-tuned in one way. */
async function fineTune(
  backbone: tfl.LayersModel,
  { tuning: digits, test }: Task,
  way: Way,
  seed: number,
  settings: Settings,
  context: SeedContext,
): Promise<Row[]> {
  const { condition, learningRate, momentum } = way;
  const { batch, affine } = settings.tuning;
  const { blocks } = settings.pretraining;
  const { signal } = context;
  // Frozen layers have no use for a momentum.
  const model = buildNetwork({ seed: seed + 100, momentum: momentum ?? 0, blocks, classes: CLASSES });
  try {
    model.layers.slice(0, -1).forEach((layer, i) => {
      layer.setWeights(backbone.layers[i]!.getWeights());
    });
    if (momentum === undefined) freezeBatchNorm(model, { affine });
    const options = { seed, batch, learningRate, steps: stepsOf(settings) };
    await trainWithCosine(model, digits, options, context, `seed ${seed}, ${condition}`);
    const measure = async (name: Row['measure']): Promise<Row> => {
      const value = await errorRate(model, test, EVALUATION_BATCH);
      return { seed, condition, measure: name, value };
    };
    const asTrained = await measure(AS_TRAINED);
    if (!way.recalibrate) return [asTrained];
    const [all = []] = ranges(digits.size, digits.size);
    await recalibrate(model, new ImageBatches(digits, all, digits.size), { signal });
    return [asTrained, await measure(RECALIBRATED)];
  } finally {
    model.dispose();
  }
}

/** With population statistics it decides nothing but memory. */
const EVALUATION_BATCH = 256;
