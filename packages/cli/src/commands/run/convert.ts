// What fold, stock and bake do: they need no data.
import { toStock } from '@rebatch/domains';
import type { Precision } from '@rebatch/graph-models';
import { foldBatchNorm } from '@rebatch/layers';
import { applyStatistics } from '@rebatch/models';
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { ModelUseError } from '../../errors.ts';
import { startBackend } from '../../model/backend.ts';
import { artifactsOf, watchModel } from '../../model/changed-weights.ts';
import { type LoadedModel, loadModel } from '../../model/load-model.ts';
import { planOutput } from '../../output/model-output.ts';
import type { ReadPlace } from '../../output/places.ts';
import type { ModelChange } from '../../output/planned.ts';
import { modelPart } from '../../report/base.ts';
import { readStatisticsFile } from '../../statistics-file.ts';
import type { Context } from '../context.ts';
import type { OutputFlags, RunFlags } from '../options.ts';
import { endLines } from '../repair.ts';

export interface ConvertFlags extends RunFlags, OutputFlags {}
export interface FoldFlags extends ConvertFlags {
  readonly strict?: boolean;
}
export interface StockFlags extends ConvertFlags {
  readonly domain?: string;
}
export interface BakeFlags extends ConvertFlags {
  readonly precision?: Precision;
}

/** What comes of a model, and what to say about it. */
interface Converted {
  readonly artifacts: tf.io.ModelArtifacts;
  readonly lines: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
}

export function runFold(path: string, flags: FoldFlags, context: Context): Promise<void> {
  return convert('fold', { suffix: '-folded', sameLayers: false }, path, flags, context, async (loaded) => {
    const model = layersOf(loaded, 'The batch norms of a converted graph were folded when it was converted.');
    // A model without any has nothing to fold.
    loaded.normalized();
    const { model: made, folded, kept } = foldBatchNorm(model, { strict: flags.strict === true });
    const lines = [
      `Folded ${folded.length} of ${folded.length + kept.length} batch norms:`,
      ...folded.map(({ name, into }) => `  ${name} into ${into}`),
      ...kept.map(({ name, reason }) => `  kept ${name}: ${reason}`),
    ];
    return { artifacts: await given(made), lines, details: { folded, kept } };
  });
}

export function runStock(path: string, flags: StockFlags, context: Context): Promise<void> {
  return convert('stock', { suffix: '-stock', sameLayers: false }, path, flags, context, async (loaded) => {
    const model = layersOf(loaded, 'A converted graph has no layers: it loads without Rebatch as it is.');
    const made = flags.domain === undefined ? toStock(model) : toStock(model, flags.domain);
    return { artifacts: await given(made), lines: ['Every layer is one of TensorFlow.js.'], details: {} };
  });
}

export function runBake(path: string, file: string, flags: BakeFlags, context: Context): Promise<void> {
  const make = async (loaded: LoadedModel): Promise<Converted> => {
    const statistics = await readStatisticsFile(file);
    const watch = watchModel(loaded);
    // Of a recalibration, they are those of the batch norms that a graph has.
    if (statistics.length < loaded.normalized().sites.length) loaded.leaveFolded();
    applyStatistics(loaded.normalized(), statistics);
    const precision = flags.precision === undefined ? {} : { precision: flags.precision };
    return {
      artifacts: await watch.artifacts(precision),
      lines: [`Statistics of ${statistics.length} sites from ${file}.`],
      details: { statistics: file, sites: statistics.length },
    };
  };
  const change = { suffix: '-baked', sameLayers: true };
  return convert('bake', change, path, flags, context, make, [{ path: file, what: 'the statistics' }]);
}

async function convert(
  command: 'fold' | 'stock' | 'bake',
  change: ModelChange,
  path: string,
  flags: ConvertFlags,
  { streams }: Context,
  make: (loaded: LoadedModel) => Promise<Converted>,
  read: readonly ReadPlace[] = [],
): Promise<void> {
  await startBackend(flags.backend);
  const loaded = await loadModel(path, { signal: streams.signal });
  try {
    const output = await planOutput(loaded, change, flags, streams.signal, read);
    const { artifacts, lines, details } = await make(loaded);
    const prepared = await output.prepare(artifacts);
    const written = await prepared.write();
    if (written.length > 0) for (const text of prepared.notes) streams.err(`${text}\n`);
    const dryRun = flags.dryRun === true;
    if (flags.json) {
      streams.out(
        `${JSON.stringify({ command, model: modelPart(loaded), ...details, written, dryRun }, undefined, 2)}\n`,
      );
    } else streams.out(`${[...lines, ...endLines(written, dryRun, output.where)].join('\n')}\n`);
  } finally {
    loaded.dispose();
  }
}

function layersOf({ layers, path }: LoadedModel, why: string): tfl.LayersModel {
  if (layers !== undefined) return layers;
  throw new ModelUseError(`${path} is a graph model: expected one of tf.layers. ${why}`);
}

async function given(model: tfl.LayersModel): Promise<tf.io.ModelArtifacts> {
  try {
    return await artifactsOf(model);
  } finally {
    model.dispose();
  }
}
