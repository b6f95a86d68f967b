// Threads as Node and browsers have them, by what they have in common.

/**
 * Something to exchange messages through: a `Worker` of Node's `worker_threads` or of the Web, and inside of one
 * `parentPort` (Node) or `self` (Web).
 */
export interface ReplicaPort {
  postMessage(message: unknown): void;
  // biome-ignore lint/suspicious/noExplicitAny: the listeners of Node's ports and of the Web's differ in what they get
  on?(event: string, listener: (value: any) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off?(event: string, listener: (value: any) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  addEventListener?(type: string, listener: (event: any) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  removeEventListener?(type: string, listener: (event: any) => void): void;
}

/** A worker that `serveReplica` runs in: of Node's `worker_threads`, or of the Web. */
export interface ReplicaWorker extends ReplicaPort {
  /** Node's; -1 once the thread has ended. */
  readonly threadId?: number;
  postMessage(message: unknown): void;
  /** @param transfer memory that goes over to the worker instead of being copied. */
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
}

/** What is listened to. */
export interface PortHandlers {
  readonly message: (data: unknown) => void;
  /** An error that nobody caught in the other thread, or a message that could not be read. */
  readonly error?: (text: string) => void;
  /** The other thread has ended. Browsers do not tell. */
  readonly exit?: (code: unknown) => void;
}

/** Listens to a port, until the function that is returned is called. */
export function listen(port: ReplicaPort, handlers: PortHandlers): () => void {
  const isNode = typeof port.on === 'function';
  const text = (error: unknown) =>
    (error as { message?: string } | undefined)?.message ?? 'it did not start, or failed without a message';
  const listeners = {
    message: (value: unknown) => handlers.message(isNode ? value : (value as { data: unknown }).data),
    error: (error: unknown) => handlers.error?.(text(error)),
    messageerror: () => handlers.error?.('a message could not be read'),
    exit: (code: unknown) => handlers.exit?.(code),
  };
  const entries = Object.entries(listeners);
  for (const [event, listener] of entries) {
    if (isNode) port.on?.(event, listener);
    else port.addEventListener?.(event, listener);
  }
  return () => {
    for (const [event, listener] of entries) {
      if (isNode) port.off?.(event, listener);
      else port.removeEventListener?.(event, listener);
    }
  };
}
