import { Tinypool } from 'tinypool';

/**
 * Starts a thread, as a pool of one.
 *
 * @param name of the file beside this one that it runs.
 * @param atATime how many tasks it takes at a time.
 * @param workerData what it finds when it starts.
 */
export function oneThread(
  name: 'worker' | 'picture-reader',
  atATime: number,
  workerData?: unknown,
): Tinypool {
  // In the workspace, threads run the sources.
  const path = import.meta.url.endsWith('.ts') ? `../../bin/${name}.js` : `./${name}.js`;
  return new Tinypool({
    filename: new URL(path, import.meta.url).href,
    workerData,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: atATime,
  });
}
