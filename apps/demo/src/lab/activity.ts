// What is going on, for the status bar: it is shown wherever the visitor is on the page.
import { type ReadonlySignal, signal } from '@preact/signals';
import type { Progress } from './task.ts';
import type { TaskStatus } from './use-task.ts';

export interface Activity {
  readonly label: string;
  readonly status: ReadonlySignal<TaskStatus>;
  readonly progress: ReadonlySignal<Progress | undefined>;
  /** Whether it has been told to stop, and has not yet. */
  readonly ending: ReadonlySignal<boolean>;
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
