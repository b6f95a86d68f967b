// The messages between the pool and its worker threads.

import type { MessagePort } from 'node:worker_threads';
import type { Job } from './job.ts';

/** A job, and where the worker reports each of its steps: a string that says what it did. */
export interface Task {
  readonly job: Job;
  readonly port: MessagePort;
}
