// The station's work: opening what was dropped, inspecting it, repairing it, and writing it.

import { inspect as inspectModel } from '@rebatch/inspect';
import { applyStatistics, captureStatistics } from '@rebatch/recalibrate';
import type { Task } from '../../lab/task.ts';
import { readModelFiles } from './files/read-model.ts';
import { decodeImages } from './images/decode.ts';
import { batchesOf, type ImageSet, rgbaOf, shuffled } from './images/image-set.ts';
import { labelsOf } from './images/labels.ts';
import { adaptFolded, referenceOf } from './model/adapt-folded.ts';
import { trainExample } from './model/example.ts';
import { needsReference } from './model/image-model.ts';
import { checkBatch } from './model/memory.ts';
import { describeAny, openAny } from './model/open-any.ts';
import { artifactsOf, describeModel } from './model/open-model.ts';
import { repair as repairModel } from './model/repair.ts';
import { secondsPerImage } from './model/speed.ts';
import { currentImages, currentModel, keepImages, keepModel, knownImages, savedFiles } from './session.ts';
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
import { REFERENCE } from './settings.ts';

/** Images that are shown, and values of theirs, at most. */
const [PREVIEWS, PREVIEW_VALUES] = [12, 2 ** 25] as const;

/** Opens the model in these files. */
const open: Task<readonly GivenFile[], null, never, ModelInfo> = async (files, run) => {
  run.progress(0, 1, 'reading the files');
  const artifacts = await readModelFiles(files);
  await run.breathe();
  const model = await openAny(artifacts);
  await keepModel(model, artifacts);
  return describeAny(artifacts, model);
};

/** Decodes these images for the model that is open. */
const images: Task<readonly GivenFile[], null, never, ImagesInfo> = async (files, run) => {
  const { model, artifacts } = currentModel();
  const { input, classes } = describeAny(artifacts, model);
  const isKnown = ({ path }: GivenFile) => needsReference(model) && path.split('/').includes(REFERENCE);
  const { resized, remarks, ...decoded } = await decodeImages(
    files.filter((file) => !isKnown(file)),
    input,
    run,
  );
  const knownFiles = files.filter(isKnown);
  // Of the same size, also where the model takes any.
  const [height, width] = decoded.size;
  const known =
    knownFiles.length === 0 ? undefined : await decodeImages(knownFiles, [height, width, input[2]], run);
  const labels = labelsOf(decoded.paths, classes);
  const set: ImageSet = { ...decoded, count: decoded.paths.length, classes: labels.classes };
  keepImages(set, known && { ...known, count: known.paths.length, classes: undefined });
  return describeImages(set, {
    resized,
    reference: known?.paths.length ?? 0,
    labels: labels.names,
    secondsPerImage: await secondsPerImage(model, set),
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
    images: describeImages(set, {
      resized: 0,
      reference: 0,
      labels: names,
      secondsPerImage: await secondsPerImage(model, set),
      remarks: [],
    }),
  };
};

const inspect: Task<InspectOptions, null, never, InspectionReport> = async (options, run) => {
  const { model, original } = currentModel();
  const set = currentImages();
  checkBatch(model, set.size, options.batchSize);
  const now = await captureStatistics(model);
  try {
    const reference = needsReference(model)
      ? await referenceOf(model, original, knownImages(), options, run.signal)
      : undefined;
    applyStatistics(model, options.which === 'original' ? original : now);
    return await inspectModel(model, batchesOf(set, shuffled(set.count), options), {
      labels: options.labels && set.classes !== undefined,
      ...(reference && { reference }),
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
  return needsReference(model)
    ? adaptFolded(model, original, currentImages(), knownImages(), options, run)
    : repairModel(model, original, currentImages(), options, run);
};

/** The files of the model with the statistics that it has now. */
const save: Task<null, null, never, SavedModel> = async () => savedFiles();

export const tasks = { open, images, example, inspect, repair, save };

function describeImages(
  set: ImageSet,
  more: Pick<ImagesInfo, 'resized' | 'reference' | 'labels' | 'secondsPerImage' | 'remarks'>,
): ImagesInfo {
  const { count, size, paths } = set;
  const fitting = Math.max(1, Math.floor(PREVIEW_VALUES / (4 * size[0] * size[1])));
  const preview = paths
    .slice(0, Math.min(PREVIEWS, fitting))
    .map((path, i) => ({ path, pixels: rgbaOf(set, i) }));
  return { count, size, preview, ...more };
}
