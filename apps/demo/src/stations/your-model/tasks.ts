// The station's work: opening what was dropped, inspecting it, repairing it, and writing it.
import { inspect as inspectModel } from '@rebatch/inspect';
import { applyStatistics, captureStatistics } from '@rebatch/recalibrate';
import type { Task } from '../../lab/task.ts';
import { readModelFiles } from './files/read-model.ts';
import { decodeImages } from './images/decode.ts';
import { batchesOf, type ImageSet, rgbaOf, shuffled } from './images/image-set.ts';
import { labelsOf } from './images/labels.ts';
import { trainExample } from './model/example.ts';
import { artifactsOf, describeModel, openModel } from './model/open-model.ts';
import { repair as repairModel } from './model/repair.ts';
import { currentImages, currentModel, keepImages, keepModel, release, savedFiles } from './session.ts';
import type {
  Example,
  GivenFile,
  ImagesInfo,
  InspectionReport,
  InspectOptions,
  ModelInfo,
  Repair,
  RepairOptions,
  SavedModel,
} from './settings.ts';

const PREVIEWS = 12;

/** Opens the model in these files. */
const open: Task<readonly GivenFile[], null, never, ModelInfo> = async (files, run) => {
  run.progress(0, 1, 'reading the files');
  const artifacts = await readModelFiles(files);
  await run.breathe();
  const model = await openModel(artifacts);
  await keepModel(model, artifacts);
  return describeModel(artifacts.name, model);
};

/** Decodes these images for the model that is open. */
const images: Task<readonly GivenFile[], null, never, ImagesInfo> = async (files, run) => {
  const { model, artifacts } = currentModel();
  const { input, classes } = describeModel(artifacts.name, model);
  const { resized, remarks, ...decoded } = await decodeImages(files, input, run);
  const labels = labelsOf(decoded.paths, classes);
  const set: ImageSet = { ...decoded, count: decoded.paths.length, classes: labels.classes };
  keepImages(set);
  return describeImages(set, {
    resized,
    labels: labels.names,
    remarks: [...remarks, ...(labels.remark === undefined ? [] : [labels.remark])],
  });
};

/** Trains a model with the fault that this is about, and takes digits as images. */
const example: Task<null, null, never, Example> = async (_, run) => {
  const { model, images: set } = await trainExample(run);
  const artifacts = await artifactsOf('example', model);
  await keepModel(model, artifacts);
  keepImages(set);
  const { names } = labelsOf(set.paths, 10);
  return {
    model: describeModel('example', model),
    images: describeImages(set, { resized: 0, labels: names, remarks: [] }),
  };
};

const inspect: Task<InspectOptions, null, never, InspectionReport> = async (options, run) => {
  const { model, original } = currentModel();
  const set = currentImages();
  const now = await captureStatistics(model);
  if (options.which === 'original') applyStatistics(model, original);
  try {
    return await inspectModel(model, batchesOf(set, shuffled(set.count), options), {
      labels: options.labels && set.classes !== undefined,
      signal: run.signal,
      onProgress: ({ phase, batches, expectedBatches }) =>
        run.progress(
          batches,
          expectedBatches ?? Math.ceil(set.count / options.batchSize),
          `${PHASES[phase]}, batch ${batches}`,
        ),
    });
  } finally {
    applyStatistics(model, now);
  }
};

const PHASES = {
  statistics: 'measuring the batches',
  accumulation: 'layer by layer',
  errors: 'errors under each kind of statistics',
} as const;

const repair: Task<RepairOptions, null, never, Repair> = async (options, run) => {
  const { model, original } = currentModel();
  return repairModel(model, original, currentImages(), options, run);
};

/** The files of the model with the statistics that it has now. */
const save: Task<null, null, never, SavedModel> = async () => savedFiles();

export const tasks = { open, images, example, inspect, repair, save };

export { release };

function describeImages(set: ImageSet, more: Pick<ImagesInfo, 'resized' | 'labels' | 'remarks'>): ImagesInfo {
  const { count, size, paths } = set;
  const preview = paths.slice(0, PREVIEWS).map((path, i) => ({ path, pixels: rgbaOf(set, i) }));
  return { count, size, preview, ...more };
}
