// The tasks that are running, for the status bar, which is in sight on every station.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { Progress, TaskStatus } from './task.ts';

export interface Activity {
  /** The name of the station that it belongs to. */
  readonly station: string;
  readonly label: string;
  readonly status: ReadonlySignal<TaskStatus>;
  readonly progress: ReadonlySignal<Progress | undefined>;
  /** Whether it has been told to stop, and has not yet. */
  readonly ending: ReadonlySignal<boolean>;
  /** Whether it is nothing to a visitor who leaves: begun by the page itself, and soon done again. */
  readonly passing: boolean;
  cancel(): void;
}

const list = signal<readonly Activity[]>([]);

export const activity = {
  list: list as ReadonlySignal<readonly Activity[]>,
  add(one: Activity) {
    list.value = [...list.value, one];
    return {
      remove: () => {
        list.value = list.value.filter((other) => other !== one);
      },
    };
  },
};
