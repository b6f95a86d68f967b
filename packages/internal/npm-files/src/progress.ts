import { SingleBar } from 'cli-progress';

/** Where work is. `total` counts steps of roughly equal cost. */
export interface Progress {
  start(total: number, what: string): void;
  advance(what: string, steps?: number): void;
  stop(): void;
}

/** Where nobody looks. */
export const silentProgress: Progress = { start() {}, advance() {}, stop() {} };

/** A progress bar on standard error, so that standard output stays clean. */
export function progressBar(): Progress {
  const bar = new SingleBar({
    format: '{bar} {percentage}% | {what} | {duration_formatted}, about {eta_formatted} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    etaBuffer: 50,
    // Where there is no terminal (a log), a line now and then instead of redrawing.
    noTTYOutput: true,
    notTTYSchedule: 10_000,
    stream: process.stderr,
  });
  return {
    start: (total, what) => bar.start(total, 0, { what }),
    advance: (what, steps = 1) => bar.increment(steps, { what }),
    stop: () => bar.stop(),
  };
}
