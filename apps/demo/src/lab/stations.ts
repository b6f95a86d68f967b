import type { StationTasks } from './task.ts';

/** The stations' parts in the worker, loaded when a station first asks for them. */
export const STATION_TASKS = {
  statistics: () => import('../stations/statistics/tasks.ts'),
  'batch-size': () => import('../stations/batch-size/tasks.ts'),
  domains: () => import('../stations/domains/tasks.ts'),
  leakage: () => import('../stations/leakage/tasks.ts'),
  'your-model': () => import('../stations/your-model/tasks.ts'),
} satisfies Readonly<Record<string, () => Promise<StationTasks>>>;

export type StationName = keyof typeof STATION_TASKS;
