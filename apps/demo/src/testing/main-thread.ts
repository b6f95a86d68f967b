// Measures what an action costs the page's main thread, and what it shifts on the page.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';

export interface Cost {
  /** Of the longest task, in milliseconds of processor time: what else runs on the machine does not count. */
  readonly longest: number;
  /** Cumulative layout shift, of what no input has caused within half a second. */
  readonly shift: number;
  /** What was shifted, for messages. */
  readonly shifted: readonly string[];
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** In microseconds, of the thread. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Measures while `act` goes on. */
export async function costOf(page: Page, act: () => Promise<void>): Promise<Cost> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('The page has no browser of its own.');
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-trace-'));
  try {
    await page.evaluate(watchShifts);
    const path = join(folder, 'trace.json');
    await browser.startTracing(page, { path, categories: ['toplevel', 'devtools.timeline'] });
    await act();
    await browser.stopTracing();
    const { traceEvents } = JSON.parse(await readFile(path, 'utf8')) as { traceEvents: TraceEvent[] };
    const thread = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
    const mains = new Set(
      traceEvents
        .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
        .map(thread),
    );
    const tasks = traceEvents.filter(
      (event) => event.ph === 'X' && event.name.endsWith('RunTask') && mains.has(thread(event)),
    );
    if (tasks.length === 0) throw new Error('The trace has no tasks of the main thread.');
    const longest = tasks.reduce((most, { tdur = 0 }) => Math.max(most, tdur), 0) / 1000;
    const shifts = await page.evaluate(() => (globalThis as unknown as Watching).shifts);
    const shift = shifts.reduce((sum, { value }) => sum + value, 0);
    return { longest, shift, shifted: shifts.map(({ value, what }) => `${value.toFixed(3)}: ${what}`) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Watching {
  shifts: { value: number; what: string }[];
}

/** Runs in the page. */
function watchShifts(): void {
  const shifts: Watching['shifts'] = [];
  Object.assign(globalThis, { shifts });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & {
      value: number;
      hadRecentInput: boolean;
      sources: { node: Node | null }[];
    })[]) {
      if (entry.hadRecentInput) continue;
      const what = entry.sources.map(({ node }) =>
        node instanceof Element ? `${node.localName}.${node.className}` : '?',
      );
      shifts.push({ value: entry.value, what: what.join(', ') });
    }
  }).observe({ type: 'layout-shift' });
}
