// Measures what an action costs the page's main thread, and what it shifts on the page.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';

export interface Cost {
  /**
   * Of the longest task, in milliseconds of processor time, so that what else runs on the machine does not count; and of
   * a machine that lays out the yardstick in its time, so that a slower one, or a slower hour, does not count either.
   */
  readonly longest: number;
  /** How much longer than its time the yardstick took, at least 1. */
  readonly slowness: number;
  /** Cumulative layout shift, of what no input has caused at once. */
  readonly shift: number;
  /** What was shifted, for messages. */
  readonly shifted: readonly string[];
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** When it began and how long it took, in microseconds. */
  readonly ts: number;
  readonly dur?: number;
  /** In microseconds, of the thread. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Something to lay out, before and after what is measured, and the milliseconds of processor time that it is to take. */
const YARDSTICK = { name: 'yardstick', paragraphs: 300, milliseconds: 10 };

/** Measures while `act` goes on. */
export async function costOf(page: Page, act: () => Promise<void>): Promise<Cost> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('The page has no browser of its own.');
  const folder = await mkdtemp(join(tmpdir(), 'rebatch-trace-'));
  try {
    await page.evaluate(watchShifts);
    const path = join(folder, 'trace.json');
    await browser.startTracing(page, {
      path,
      categories: ['toplevel', 'devtools.timeline', 'blink.user_timing'],
    });
    await page.evaluate(layOut, YARDSTICK);
    await act();
    await page.evaluate(layOut, YARDSTICK);
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
    const marks = traceEvents.filter(({ name }) => name === YARDSTICK.name);
    const measures = (task: TraceEvent) =>
      marks.some(
        (mark) => thread(mark) === thread(task) && mark.ts >= task.ts && mark.ts <= task.ts + (task.dur ?? 0),
      );
    const slowness = Math.max(1, longestOf(tasks.filter(measures)) / YARDSTICK.milliseconds);
    const longest = longestOf(tasks.filter((task) => !measures(task))) / slowness;
    const shifts = await page.evaluate(() => (globalThis as unknown as Watching).shifts);
    const shift = shifts.reduce((sum, { value }) => sum + value, 0);
    return {
      longest,
      slowness,
      shift,
      shifted: shifts.map(({ value, what }) => `${value.toFixed(3)}: ${what}`),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** In milliseconds of processor time. */
function longestOf(tasks: readonly TraceEvent[]): number {
  if (tasks.length === 0) throw new Error('The trace lacks tasks that it should have.');
  return tasks.reduce((most, { tdur = 0 }) => Math.max(most, tdur), 0) / 1000;
}

/** Runs in the page, and leaves nothing there. */
function layOut({ name, paragraphs }: typeof YARDSTICK): void {
  performance.mark(name);
  const all = document.createElement('div');
  all.style.position = 'fixed';
  all.style.visibility = 'hidden';
  for (let i = 0; i < paragraphs; i++) {
    all.appendChild(document.createElement('p')).textContent =
      `Paragraph ${i} of a text that takes two lines or so.`;
  }
  document.body.append(all);
  all.getBoundingClientRect();
  all.remove();
}

interface Watching {
  shifts: { value: number; what: string }[];
}

/**
 * Runs in the page. The browser excuses what shifts within half a second of an input, which is also what comes when some
 * work is done, where the machine is fast. Here only the two frames after an input are excused.
 */
function watchShifts(): void {
  const shifts: Watching['shifts'] = [];
  Object.assign(globalThis, { shifts });
  const answers: { from: number; to: number }[] = [];
  for (const kind of ['pointerdown', 'click', 'keydown', 'input', 'change']) {
    addEventListener(
      kind,
      () => {
        const answer = { from: performance.now(), to: Number.POSITIVE_INFINITY };
        answers.push(answer);
        requestAnimationFrame(() => {
          requestAnimationFrame(() => {
            answer.to = performance.now();
          });
        });
      },
      { capture: true },
    );
  }
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & {
      value: number;
      sources: { node: Node | null }[];
    })[]) {
      const { startTime } = entry;
      if (answers.some(({ from, to }) => startTime >= from && startTime <= to)) continue;
      const what = entry.sources.map(({ node }) =>
        node instanceof Element ? `${node.localName}.${node.className}` : '?',
      );
      shifts.push({ value: entry.value, what: what.join(', ') });
    }
  }).observe({ type: 'layout-shift' });
}
