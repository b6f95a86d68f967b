// The worker of the pool's tests: as bin/worker.js, with experiments that need no data.

import { register } from 'tsx/esm/api';

register();
const { fakeExperiment } = await import('./fake-experiment.ts');

export default async function work({ job, port }) {
  const advance = (what) => port.postMessage(what);
  const signal = new AbortController().signal;
  const experiment = fakeExperiment(job.experiment, job.settings);
  const rows = await experiment.runSeed(job.seed, job.settings, { signal, advance });
  port.close();
  return { backend: 'none', rows, seconds: 1 };
}
