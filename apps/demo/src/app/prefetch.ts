import { STATIONS } from '../stations/index.ts';
import { loadPlot } from '../ui/plot.ts';

/**
 * Loads what the stations show, one after the other while nothing else is going on: then they open at once, also when the
 * connection is gone by then, and none of it is read in the middle of a training.
 */
export async function prefetch(): Promise<void> {
  for (const load of [loadPlot, ...STATIONS.map((station) => station.page)]) {
    await idle();
    try {
      await load();
    } catch {
      // Whoever needs it will try again, and say why it cannot be had.
    }
  }
}

function idle(): Promise<unknown> {
  // Not known to Safari.
  const request = globalThis.requestIdleCallback ?? setTimeout;
  return new Promise((resolve) => request(resolve));
}
