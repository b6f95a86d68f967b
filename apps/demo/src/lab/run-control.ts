import type { Run } from './task.ts';
import type { Turn } from './turns.ts';

/** A run as the worker steers it: {@link Run}, and what the page can do to it. */
export class RunControl<Live, Event> implements Run<Live, Event> {
  live: Live;
  private readonly controller = new AbortController();
  private readonly tell: (event: Event) => void;
  private readonly tellProgress: (done: number, total: number, what: string) => void;
  private paused = false;
  private steps = 0;
  private wake: (() => void) | undefined;
  private turn: Turn | undefined;

  constructor(
    live: Live,
    tell: (event: Event) => void,
    tellProgress: (done: number, total: number, what: string) => void,
  ) {
    this.live = live;
    this.tell = tell;
    this.tellProgress = tellProgress;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  emit(event: Event): void {
    this.tell(event);
  }

  progress(done: number, total: number, what: string): void {
    this.tellProgress(done, total, what);
  }

  /** Has checkpoints give way to the work of other stations. */
  takesTurns(turn: Turn): void {
    this.turn = turn;
  }

  async breathe(): Promise<void> {
    await nextTask();
    this.signal.throwIfAborted();
  }

  async checkpoint(): Promise<void> {
    await this.breathe();
    while (this.paused && this.steps === 0) {
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      await (this.turn === undefined ? woken : this.turn.rest(woken));
      this.signal.throwIfAborted();
    }
    await this.turn?.giveWay();
    if (this.steps > 0) this.steps--;
  }

  pause(): void {
    this.paused = true;
    this.steps = 0;
  }

  resume(): void {
    this.paused = false;
    this.wake?.();
  }

  /** Lets a paused run go on to its next checkpoint. */
  step(): void {
    this.steps++;
    this.wake?.();
  }

  cancel(): void {
    this.controller.abort(new DOMException('Cancelled.', 'AbortError'));
    this.wake?.();
  }
}

const { port1, port2 } = new MessageChannel();
const waiting: (() => void)[] = [];
port1.onmessage = () => waiting.shift()?.();

/** Resolves after the messages that have arrived by now are handled. Timers would wait for at least 4 ms. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(undefined);
  });
}
