import type { Run } from '../lab/task.ts';

/** A run without a page: collects what a task tells, and never makes it wait. */
export interface FakeRun<Live, Event> extends Run<Live, Event> {
  live: Live;
  readonly events: Event[];
  /** Called with each event, to change `live` or to abort. */
  onEvent: (event: Event) => void;
  abort(): void;
}

export function fakeRun<Live, Event>(live: Live): FakeRun<Live, Event> {
  const controller = new AbortController();
  const { signal } = controller;
  const breathe = async () => signal.throwIfAborted();
  const events: Event[] = [];
  const run: FakeRun<Live, Event> = {
    live,
    signal,
    events,
    onEvent: () => {},
    emit(event) {
      events.push(event);
      run.onEvent(event);
    },
    progress: () => {},
    breathe,
    checkpoint: breathe,
    abort: () => controller.abort(new DOMException('Cancelled.', 'AbortError')),
  };
  return run;
}
