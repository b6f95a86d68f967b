// What the worker computes for a station. Both sides know these types; only the worker runs tasks.

/** What a task is given beside its options. */
export interface Run<Live, Event> {
  /** Aborted when the visitor cancels or goes to another station. */
  readonly signal: AbortSignal;
  /** The values of the page's controls, as they are now. */
  readonly live: Live;
  /** Tells the page something: plain data and typed arrays. */
  emit(event: Event): void;
  /** Where the task is. */
  progress(done: number, total: number, what: string): void;
  /**
   * Lets messages in; to be awaited at least every 100 ms of work.
   *
   * @throws (rejects) with the signal's reason once the task is cancelled.
   */
  breathe(): Promise<void>;
  /** Ends a unit of work: as {@link breathe}, and waits here while the task is paused. "Step" lets one pass. */
  checkpoint(): Promise<void>;
}

/** One thing that the worker does. Options, events and results are copied between threads. */
export type Task<Options, Live, Event, Result> = (options: Options, run: Run<Live, Event>) => Promise<Result>;

/** Any task; what it takes and gives is known where it is called. */
// biome-ignore lint/suspicious/noExplicitAny: a list of tasks of all kinds
export type AnyTask = Task<any, any, any, any>;

/** The part of a station that runs in the worker. */
export interface StationTasks {
  readonly tasks: Readonly<Record<string, AnyTask>>;
  /** Frees what the tasks keep between runs; called when another station takes over. */
  release?(): void;
}

/** What the page hears from a running task. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly what: string;
}

/** The device that the worker computes on. */
export interface Device {
  readonly backend: 'webgpu' | 'wasm';
  /** As people know it, such as the graphics adapter's vendor. */
  readonly description: string;
  /** Why it is not the one that was asked for, or preferred. */
  readonly fallback?: string;
}

export type DevicePreference = 'auto' | 'webgpu' | 'wasm';
