// A process that recalibrates on a folder of pictures and shares nothing: each message is a number of pictures, its answer
// the end of them.

import { type MeasuringTask, openTask } from '@rebatch/cli/~internal';
import { recalibrateBy, SIDE } from './cli-folder.ts';
import { buildMobilenetV2 } from './mobilenet-v2.ts';

const task = JSON.parse(process.argv[2]!) as MeasuringTask;
const measurer = await openTask(task, new AbortController().signal);
const model = buildMobilenetV2(SIDE);
process.on('message', async (positions: number) => {
  await recalibrateBy([measurer], { ...task, positions }, model);
  process.send!(positions);
});
// Whoever has started this process has gone.
process.on('disconnect', () => process.exit());
process.send!(0);
