// What the worker does with photographs: the same network, adapted to a stream in each way, one after the other.

import type { Task } from '../../../lab/task.ts';
import { loadPageModel } from '../../../network/page-model.ts';
import { kept } from '../kept.ts';
import { loadReferences, loadSheet } from './load-sheet.ts';
import { PhotographLab } from './photograph-lab.ts';
import { MODEL_FILE, type PhotographEvent, type PhotographOptions, WAYS } from './settings.ts';

const lab = kept(async () => {
  const [sheet, references] = await Promise.all([loadSheet(), loadReferences()]);
  return PhotographLab.open(await loadPageModel(MODEL_FILE), sheet, references);
});

/** Adapts to a stream in each way, and reads photographs of all classes after it. */
const compare: Task<PhotographOptions, undefined, PhotographEvent, void> = async (options, run) => {
  const steps = WAYS.length + 2;
  run.progress(0, steps, 'loading photographs');
  const found = await lab();
  run.progress(1, steps, 'corrupting them');
  const [read, to] = [await found.read(options, run), await found.stream(options, run)];
  run.emit({ kind: 'photographs', read, stream: to });
  run.progress(1, steps, 'as it was trained');
  run.emit({ kind: 'reading', way: 'source', reading: await found.reading(read, undefined, run) });
  for (const [at, { value: way, text }] of WAYS.entries()) {
    // What the visitor asks of the digits meanwhile goes first.
    await run.checkpoint();
    run.progress(at + 2, steps, text.toLowerCase());
    const reading = await found.reading(read, { way, to, stream: options.stream }, run);
    run.emit({ kind: 'reading', way, reading });
  }
};

export const tasks = { compare };
