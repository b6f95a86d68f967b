// The state of the station's page: the files, the model, what was found, and what can be done with them.

import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { generation } from '../../lab/lab.ts';
import { useTask } from '../../lab/use-task.ts';
import { oneOf, onOff } from '../../state/setting.ts';
import { setUnsaved } from '../../state/unsaved.ts';
import { changeAll, useSettings } from '../../state/use-settings.ts';
import { download } from '../../ui/download.ts';
import { type Given, withFiles } from './given-files.ts';
import {
  BATCH_SIZES,
  type GivenFile,
  type ImagesInfo,
  type InspectionReport,
  type ModelInfo,
  PRIORS,
  type Repair,
  type RepairOptions,
  SAMPLES,
  SCALINGS,
} from './settings.ts';
import type { tasks } from './tasks.ts';

/** Files may ask for more than a check can foresee. Models of 500 MB open within some seconds. */
const OPENING = {
  ms: 60_000,
  text: 'Opening the model took more than a minute and was given up: it is too large for this page, or made to never end.',
};

const CHOICES = {
  scaling: oneOf(SCALINGS, '0..1'),
  batchSize: oneOf<number>(BATCH_SIZES, 32),
  labels: onOff(true),
  mode: oneOf(['layerwise', 'batch'], 'layerwise'),
  samples: oneOf<number>(SAMPLES, 1_000),
  prior: oneOf<number>(PRIORS, 0),
};

/** The repaired model, where it was not downloaded. */
const REPAIRED = 'repaired model';

const NOTHING: Given = { model: [], images: [] };

export function useModel() {
  const given = useSignal<Given>(NOTHING);
  const model = useSignal<ModelInfo | undefined>(undefined);
  const images = useSignal<ImagesInfo | undefined>(undefined);
  const report = useSignal<InspectionReport | undefined>(undefined);
  const repair = useSignal<Repair | undefined>(undefined);
  const chosen = useSettings(CHOICES);
  const settings = useComputed<RepairOptions>(() => ({
    scaling: chosen.scaling.value,
    batchSize: chosen.batchSize.value,
    labels: chosen.labels.value,
    mode: chosen.mode.value,
    samples: chosen.samples.value,
    prior: chosen.prior.value,
  }));

  const open = useTask<typeof tasks.open>('open', 'Opening the model', undefined, { limit: OPENING });
  const decode = useTask<typeof tasks.images>('images', 'Decoding images');
  const example = useTask<typeof tasks.example>('example', 'Training an example');
  const inspecting = useTask<typeof tasks.inspect>('inspect', 'Inspecting the model');
  const repairing = useTask<typeof tasks.repair>('repair', 'Recalibrating the model');
  const saving = useTask<typeof tasks.save>('save', 'Writing the model');

  const change = (values: Partial<RepairOptions>) => changeAll(chosen, values);
  const forget = () => {
    report.value = undefined;
    repair.value = undefined;
    setUnsaved(REPAIRED, false);
  };
  const showModel = (info: ModelInfo | undefined) => {
    forget();
    images.value = undefined;
    model.value = info;
    if (info?.suggestedScaling !== undefined) change({ scaling: info.suggestedScaling });
  };
  const showImages = (info: ImagesInfo | undefined) => {
    forget();
    images.value = info;
    // As large as leaves the five batches that it takes for anything to be certain.
    const fitting = BATCH_SIZES.filter((size) => size <= 32 && 5 * size <= (info?.count ?? 160));
    change({ batchSize: fitting.at(-1) ?? 2 });
  };

  /** Other files are wanted now: what works on those before is not. */
  const stop = (...ones: readonly { cancel(): void }[]) => {
    for (const one of [...ones, inspecting, repairing]) one.cancel();
  };
  const openFiles = async (): Promise<void> => {
    stop(decode, example);
    showModel(undefined);
    const info = await open.start(given.value.model, null);
    if (info === undefined) return;
    showModel(info);
    await decodeFiles();
  };
  const decodeFiles = async (): Promise<void> => {
    if (given.value.images.length === 0) return;
    stop();
    showImages(await decode.start(given.value.images, null));
  };
  const inspect = async (which: 'original' | 'repaired' = 'original'): Promise<void> => {
    const found = await inspecting.start({ ...settings.value, which }, null);
    if (found !== undefined) report.value = found;
  };

  // What the worker kept is gone with it; the files are still here.
  const known = useRef(generation.peek());
  useSignalEffect(() => {
    if (generation.value === known.current) return;
    known.current = generation.value;
    const mayBeTheCause = [open, decode].some(({ status }) => status.peek() === 'running');
    showModel(undefined);
    // Not by itself where reading them may be what broke the last worker: it would go on for ever.
    if (given.peek().model.length > 0 && !mayBeTheCause) void openFiles();
  });

  return {
    given,
    model,
    images,
    report,
    repair,
    settings,
    tasks: { open, decode, example, inspecting, repairing, saving },
    change,
    forget,
    inspect,
    openFiles,
    take(files: readonly GivenFile[]) {
      const before = given.value;
      given.value = withFiles(before, files);
      if (given.value.model !== before.model) void openFiles();
      else if (given.value.images !== before.images && model.value !== undefined) void decodeFiles();
    },
    clear() {
      stop(open, decode, example, saving);
      given.value = NOTHING;
      showModel(undefined);
    },
    async tryExample() {
      stop(open, decode);
      given.value = NOTHING;
      showModel(undefined);
      const found = await example.start(null, null);
      if (found === undefined) return;
      showModel(found.model);
      showImages(found.images);
      change({ scaling: '0..1', labels: true });
      await inspect();
    },
    async recalibrate() {
      const found = await repairing.start(settings.value, null);
      if (found === undefined) return;
      repair.value = found;
      setUnsaved(REPAIRED, true);
    },
    async save() {
      const saved = await saving.start(null, null);
      if (saved === undefined) return;
      setUnsaved(REPAIRED, false);
      download('model.json', new Blob([saved.json], { type: 'application/json' }));
      download('model.weights.bin', new Blob([saved.weights], { type: 'application/octet-stream' }));
    },
  };
}

export type ModelState = ReturnType<typeof useModel>;
