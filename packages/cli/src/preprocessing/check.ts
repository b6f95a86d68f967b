// Whether inputs are prepared as the model was trained with: what its first layer sees is held against what it has stored.
import { ADVICE_THRESHOLDS } from '@rebatch/inspect';
import type { NormalizedModel } from '@rebatch/models';
import type { LayerReport } from '@rebatch/recalibrate';
import { estimate } from '@rebatch/recalibrate/~internal';
import type { DataDescription } from '../data/description.ts';
import { openData } from '../data/open-data.ts';
import { tensorsOf } from '../data/tensors.ts';
import { wholeBatches } from '../data/whole-batches.ts';
import type { LoadedModel } from '../model/load-model.ts';
import { PRESETS, type Preprocessing, presetNamed, presetOf } from './preprocessing.ts';

/** So many samples tell. */
const SAMPLES = 64;
const BATCH = 16;

/** Of the first layer, in multiples of what is certainly wrong: below it, no other way is tried. */
const CLOSE = 0.05;

/** What the first layer that inputs reach says of one way to prepare them. */
export interface FirstLayer {
  readonly layer: string;
  /** Of its means, in standard deviations: root mean square over channels. */
  readonly meanShift: number;
  /** Of its variances, as a difference of natural logarithms. */
  readonly varianceShift: number;
  /** Above 1: no other inputs of the same kind do that. */
  readonly severity: number;
}

/** What was found. */
export interface PreprocessingCheck {
  readonly first: FirstLayer;
  /** Whether the inputs are certainly not prepared as in training. */
  readonly wrong: boolean;
  /** A preset that fits far better, if one does. */
  readonly better: { readonly preset: string; readonly first: FirstLayer } | null;
}

/**
 * Runs the model on a few samples. Null where nothing can be told: for a model whose statistics were folded away, or that
 * nobody trained.
 *
 * @throws the errors of `@rebatch/recalibrate` about data that does not fit.
 */
export async function checkPreprocessing(
  { normalized, fixedBatch, inputs }: Pick<LoadedModel, 'normalized' | 'fixedBatch' | 'inputs'>,
  description: DataDescription,
  signal: AbortSignal,
): Promise<PreprocessingCheck | null> {
  const model = normalized();
  const order = inputs.map(({ name }) => name);
  const subject = { model, fixedBatch, batchSize: fixedBatch ?? BATCH, order };
  if (model.sites.some(({ folded }) => folded) || model.stateful !== undefined) return null;
  const first = await firstLayer(subject, description, signal);
  if (first === null) return null;
  const wrong = first.severity > 1;
  const own = presetOf(description.preprocessing);
  let better: PreprocessingCheck['better'] = null;
  if (description.source.kind !== 'module' && first.severity > CLOSE) {
    for (const preset of Object.keys(PRESETS)) {
      if (preset === own) continue;
      const found = await other(
        subject,
        description,
        { ...description.preprocessing, ...presetNamed(preset) },
        signal,
      );
      if (found && isFarBetter(found, better?.first ?? first, better !== null))
        better = { preset, first: found };
    }
  }
  return { first, wrong, better };
}

interface Subject {
  readonly model: NormalizedModel;
  readonly fixedBatch: number | undefined;
  readonly batchSize: number;
  readonly order: readonly string[];
}

/** Another way, which may not even run: three means for one channel, say. */
async function other(
  subject: Subject,
  description: DataDescription,
  preprocessing: Preprocessing,
  signal: AbortSignal,
): Promise<FirstLayer | null> {
  try {
    return await firstLayer(subject, { ...description, preprocessing }, signal);
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

async function firstLayer(
  { model, fixedBatch, batchSize, order }: Subject,
  description: DataDescription,
  signal: AbortSignal,
): Promise<FirstLayer | null> {
  const data = wholeBatches(await openData(description), fixedBatch);
  try {
    const most = Math.min(SAMPLES, data.count ?? SAMPLES);
    const range = { from: 0, to: most < batchSize ? most : most - (most % batchSize) };
    const batches = tensorsOf(data, { range, batchSize, order, signal });
    const samples = data.count === null ? { samples: 1 } : {};
    const { report } = await estimate('rebatch', model, batches, { ...samples, signal }, { asStored: true });
    const stored = model.stored();
    const at = report.layers.findIndex(({ applications }) => applications.length > 0);
    const first = report.layers[at];
    if (!first?.shift || (await isUntouched(stored[at]!))) return null;
    return judge(first);
  } finally {
    await data.close();
  }
}

async function isUntouched({
  mean,
  variance,
}: ReturnType<NormalizedModel['stored']>[number]): Promise<boolean> {
  const [means, variances] = await Promise.all([mean.data(), variance.data()]);
  return means.every((value) => value === 0) && variances.every((value) => value === 1);
}

function judge({ name, shift }: LayerReport): FirstLayer {
  const [meanShift, varianceShift] = [shift!.mean.rms, shift!.variance.rms];
  const severity = Math.max(
    meanShift / ADVICE_THRESHOLDS.inputMeanShift,
    varianceShift / ADVICE_THRESHOLDS.inputVarianceShift,
  );
  return { layer: name, meanShift, varianceShift, severity };
}

/** A tenth of the distance, or the least of those that are. */
function isFarBetter(one: FirstLayer, than: FirstLayer, already: boolean): boolean {
  return one.severity < than.severity * (already ? 1 : 0.2) && one.severity < 1;
}

/** In a sentence. */
export function describeFirst({ layer, meanShift, varianceShift }: FirstLayer): string {
  const factor = Math.exp(Math.min(varianceShift, 700));
  return (
    `layer '${layer}', the first that the inputs reach, is off by ${short(meanShift)} standard deviations in the mean and a ` +
    `factor ${short(factor)} in the variance`
  );
}

const short = (value: number) => (value >= 1000 ? value.toExponential(1) : value.toPrecision(2));
