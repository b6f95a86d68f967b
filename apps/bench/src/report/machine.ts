// On what was measured: enough to judge the numbers by, and nothing that tells whose machine it is.

import { arch, cpus, release, totalmem, type } from 'node:os';

/** One machine, in words. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gb: number;
  readonly os: string;
  readonly node: string;
  /** The GPU, where the bench had one. */
  readonly gpu?: string;
}

/** When and where the lines after it were measured: a line of its own among them. */
export interface Origin {
  readonly machine: Machine;
  /** The day, as `2026-01-31` (UTC). */
  readonly date: string;
}

/** This machine, today. */
export function thisOrigin(now = new Date(), gpu?: string): Origin {
  const processors = cpus();
  return {
    machine: {
      cpu: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      memory_gb: Math.round(totalmem() / 2 ** 30),
      // A release such as 6.1.0-18-amd64: the version is enough.
      os: `${type()} ${/^[\d.]+/.exec(release())?.[0].replace(/\.$/, '') ?? ''} ${arch()}`,
      node: process.version,
      ...(gpu !== undefined && { gpu }),
    },
    date: now.toISOString().slice(0, 10),
  };
}

/** Whether the two are the same machine on the same day. */
export function sameOrigin(a: Origin, b: Origin): boolean {
  const text = ({ machine: { cpu, cores, memory_gb, os, node, gpu }, date }: Origin) =>
    JSON.stringify([cpu, cores, memory_gb, os, node, gpu, date]);
  return text(a) === text(b);
}
