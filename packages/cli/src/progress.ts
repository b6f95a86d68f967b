import { SingleBar } from 'cli-progress';
import type { Streams } from './io.ts';

/** How far a run is. */
export interface Progress {
  /** @param total null where it is not known. */
  show(what: string, done: number, total: number | null): void;
  stop(): void;
}

/** A bar on standard error, where a person watches it; nothing elsewhere, so that logs stay short. */
export function progressBar({ terminal }: Streams): Progress {
  if (!terminal) return { show() {}, stop() {} };
  let bar: SingleBar | undefined;
  return {
    show(what, done, total) {
      if (bar === undefined) {
        bar = new SingleBar({
          format: '{bar} {percentage}% | {what} | {duration_formatted}, about {eta_formatted} left',
          barCompleteChar: '█',
          barIncompleteChar: '░',
          barsize: 30,
          hideCursor: true,
          clearOnComplete: true,
          etaBuffer: 50,
          stream: process.stderr,
        });
        bar.start(total ?? 0, done, { what });
      }
      bar.setTotal(total ?? done);
      bar.update(done, { what });
    },
    stop() {
      bar?.stop();
      bar = undefined;
    },
  };
}
