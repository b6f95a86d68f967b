import type { Progress } from '../progress.ts';

/** What was reported, for the tests of what reports. */
export class RecordedProgress implements Progress {
  total = 0;
  done = 0;
  started = 0;
  stopped = 0;
  readonly messages: string[] = [];
  start(total: number, what: string) {
    this.total = total;
    this.started++;
    this.messages.push(what);
  }
  advance(what: string, steps = 1) {
    this.done += steps;
    this.messages.push(what);
  }
  stop() {
    this.stopped++;
  }
}
