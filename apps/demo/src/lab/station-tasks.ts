// The stations' parts in the worker: `tasks.ts` in each one's folder, loaded when a station first asks for them. A folder in
// it may have its own, as `domains/photographs`: these wait for none of the station's others.

import type { StationTasks } from './task.ts';

const FILES = import.meta.glob<StationTasks>('../stations/**/tasks.ts');

/** @throws (rejects) if the station has no tasks, or they cannot be fetched. */
export async function loadTasks(station: string): Promise<StationTasks> {
  const load = FILES[`../stations/${station}/tasks.ts`];
  if (load === undefined) throw new Error(`The station '${station}' has no tasks.`);
  try {
    return await load();
  } catch (cause) {
    throw new Error('This part of the page could not be loaded. Check the connection, then try again.', {
      cause,
    });
  }
}
