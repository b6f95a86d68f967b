// What the worker computes for a station. Both sides know these types; only the worker runs tasks.

/** What a task is given beside its options. */
export interface Run<Live, Event> {
  /** Aborted when the visitor cancels. */
  readonly signal: AbortSignal;
  /** The values of the page's controls, as they are now. */
  readonly live: Live;
  /** Tells the page something: plain data and typed arrays. */
  emit(event: Event): void;
  /** Where the task is. */
  progress(done: number, total: number, what: string): void;
  /**
   * Lets messages from the page arrive; to be awaited at least every 100 ms of work.
   *
   * @throws (rejects) with the signal's reason once the task is cancelled.
   */
  breathe(): Promise<void>;
  /**
   * Ends a unit of work: as {@link breathe}, and waits here while the task is paused, or another station has work to do.
   * "Step" lets one pass.
   */
  checkpoint(): Promise<void>;
}

/** One thing that the worker does. Options, events and results are copied between threads. */
export type Task<Options, Live, Event, Result> = (options: Options, run: Run<Live, Event>) => Promise<Result>;

/** Any task; what it takes and gives is known where it is called. */
// biome-ignore lint/suspicious/noExplicitAny: a list of tasks of all kinds
export type AnyTask = Task<any, any, any, any>;

export type OptionsOf<T extends AnyTask> =
  T extends Task<infer Options, infer _L, infer _E, infer _R> ? Options : never;
export type LiveOf<T extends AnyTask> =
  T extends Task<infer _O, infer Live, infer _E, infer _R> ? Live : never;
export type EventOf<T extends AnyTask> =
  T extends Task<infer _O, infer _L, infer Event, infer _R> ? Event : never;
export type ResultOf<T extends AnyTask> =
  T extends Task<infer _O, infer _L, infer _E, infer Result> ? Result : never;

/** The part of a station that runs in the worker. */
export interface StationTasks {
  readonly tasks: Readonly<Record<string, AnyTask>>;
}

/** What the page hears from a running task. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly what: string;
}

/** What has become of a task, as the page knows it. */
export type TaskStatus = 'idle' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed';

/** The device that the worker computes on. */
export interface Device {
  readonly backend: 'webgpu' | 'wasm';
  /** As people know it, such as the graphics adapter's vendor. */
  readonly description: string;
  /** Why it is not the one that was asked for, or preferred. */
  readonly fallback?: string;
}

export type DevicePreference = 'auto' | 'webgpu' | 'wasm';
