// The station's state on the page, and what leads from one to the next.
import { useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { generation } from '../../lab/lab.ts';
import { useTask } from '../../lab/use-task.ts';
import { download } from '../../ui/download.ts';
import { type Given, withFiles } from './given-files.ts';
import {
  BATCH_SIZES,
  type GivenFile,
  type ImagesInfo,
  type InspectionReport,
  type ModelInfo,
  type Repair,
  type RepairOptions,
} from './settings.ts';
import type { tasks } from './tasks.ts';

const NOTHING: Given = { model: [], images: [] };
const STATION = 'your-model';

export function useModel() {
  const given = useSignal<Given>(NOTHING);
  const model = useSignal<ModelInfo | undefined>(undefined);
  const images = useSignal<ImagesInfo | undefined>(undefined);
  const report = useSignal<InspectionReport | undefined>(undefined);
  const repair = useSignal<Repair | undefined>(undefined);
  const settings = useSignal<RepairOptions>({
    scaling: '0..1',
    batchSize: 32,
    labels: true,
    mode: 'layerwise',
    samples: 1_000,
    prior: 0,
  });

  const open = useTask<typeof tasks.open>(STATION, 'open', 'Opening the model');
  const decode = useTask<typeof tasks.images>(STATION, 'images', 'Decoding images');
  const example = useTask<typeof tasks.example>(STATION, 'example', 'Training an example');
  const inspecting = useTask<typeof tasks.inspect>(STATION, 'inspect', 'Inspecting the model');
  const repairing = useTask<typeof tasks.repair>(STATION, 'repair', 'Recalibrating the model');
  const saving = useTask<typeof tasks.save>(STATION, 'save', 'Writing the model');

  const change = (values: Partial<RepairOptions>) => {
    settings.value = { ...settings.value, ...values };
  };
  const forget = () => {
    report.value = undefined;
    repair.value = undefined;
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
      if (found !== undefined) repair.value = found;
    },
    async save() {
      const saved = await saving.start(null, null);
      if (saved === undefined) return;
      download('model.json', new Blob([saved.json], { type: 'application/json' }));
      download('model.weights.bin', new Blob([saved.weights], { type: 'application/octet-stream' }));
    },
  };
}

export type ModelState = ReturnType<typeof useModel>;
